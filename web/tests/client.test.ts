// Client and session joined by real message channels: the protocol as it runs, on a stand-in engine.

import { afterEach, describe, expect, it } from 'vitest';
import { Client, type Port } from '../src/lib/client';
import type { ModelInfo } from '../src/lib/models';
import type { PartialTranslation, Request } from '../src/lib/protocol';
import { TranslucentError } from '../src/lib/protocol';
import { Session, type SessionEnvironment } from '../src/lib/session';
import { FakeEngine, type FakeEngineOptions, spell } from './fake-engine';

const base = 'https://example.test/models/';
const model: ModelInfo = {
  id: 'zh-en',
  source: 'zh',
  target: 'en',
  name: 'zh-en',
  licence: '',
  scores: {},
  files: [{ name: 'model.safetensors', bytes: 8, sha256: '0'.repeat(64) }],
};
const files = [{ name: 'model.safetensors', bytes: new Uint8Array(8) }];

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** A client and the engines its workers run: a new one after each crash. */
function connected(options: FakeEngineOptions = {}, environment: Partial<SessionEnvironment> = {}) {
  const engines: FakeEngine[] = [];
  const workers: Port[] = [];
  const requests: Request[] = [];
  const client = new Client(() => {
    const engine = new FakeEngine(options);
    engines.push(engine);
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    const session = new Session({
      post: (message, transfer = []) => port2.postMessage(message, transfer),
      engine: async () => ({ engine, variant: 'translucent-threads', threads: 3 }),
      // Node empties one message port before it looks at the next: a message to itself would starve ours.
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      download: async (_base, _model, { onProgress } = {}) => {
        onProgress?.(0, 8);
        onProgress?.(8, 8);
        return files.map(({ name, bytes }) => ({ name, bytes: bytes.slice() }));
      },
      ...environment,
    });
    port2.onmessage = (event: MessageEvent<Request>) => session.handle(event.data);
    const port: Port = {
      postMessage: (message) => {
        requests.push(message);
        port1.postMessage(message);
      },
      onmessage: null,
      onerror: null,
      terminate: () => port1.close(),
    };
    port1.onmessage = (event) => port.onmessage?.(event);
    workers.push(port);
    return port;
  });
  return { client, engines, workers, requests, engine: () => engines.at(-1)! };
}

async function loaded(options: FakeEngineOptions = {}, environment: Partial<SessionEnvironment> = {}) {
  const all = connected(options, environment);
  await all.client.load(model, { base });
  return all;
}

describe('load', () => {
  it('reports bytes and answers when the model does', async () => {
    const { client, engine } = connected();
    const progress: number[] = [];
    const result = await client.load(model, { base, onProgress: (bytes) => progress.push(bytes) });
    expect(progress).toEqual([0, 8]);
    expect(result.milliseconds).toBeGreaterThanOrEqual(0);
    expect(engine().alive).toBe(1);
  });

  it('frees the former model', async () => {
    const { client, engine } = await loaded();
    await client.load(model, { base });
    expect(engine().alive).toBe(1);
  });

  it('passes on what the engine says about the files', async () => {
    const { client } = connected({}, { download: async () => [] });
    await expect(client.load(model, { base })).rejects.toMatchObject({
      name: 'TranslucentError',
      kind: 'model',
      message: 'model: config.json is missing',
    });
  });

  it('an engine that does not start is a crash', async () => {
    const { client } = connected({}, { engine: () => Promise.reject(new Error('no WebAssembly')) });
    await expect(client.load(model, { base })).rejects.toMatchObject({
      kind: 'crashed',
      message: 'the engine did not start: no WebAssembly',
    });
  });

  it('can be aborted', async () => {
    const { client } = connected(
      {},
      {
        download: (_base, _model, { signal } = {}) =>
          new Promise((_, reject) =>
            signal!.addEventListener('abort', () => reject(signal!.reason as Error)),
          ),
      },
    );
    const stop = new AbortController();
    const load = client.load(model, { base, signal: stop.signal });
    stop.abort();
    await expect(load).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('translate', () => {
  it('joins sentences, keeps what stood between them, and says where each is', async () => {
    const { client } = await loaded();
    const source = ' 狗。猫。\n\n鸟。 ';
    const { text, sentences } = await client.translate(source);
    expect(text).toBe(' 72D7. 732B.\n\n9E1F. ');
    expect(sentences.map((s) => source.slice(s.source.begin, s.source.end))).toEqual(['狗。', '猫。', '鸟。']);
    expect(sentences.map((s) => text.slice(s.target.begin, s.target.end))).toEqual(['72D7.', '732B.', '9E1F.']);
  });

  it('gives back a text without sentences as it is', async () => {
    const { client } = await loaded();
    expect(await client.translate(' \n ')).toMatchObject({ text: ' \n ', sentences: [] });
    expect(await client.translate('')).toMatchObject({ text: '', sentences: [] });
  });

  it('shows the translation as it grows', async () => {
    let now = 0;
    const { client } = connected({}, { now: () => (now += 1) });
    await client.load(model, { base });
    const partials: PartialTranslation[] = [];
    await client.translate('狗。猫。鸟。', { onPartial: (partial) => partials.push(partial) });
    expect(partials.map((partial) => partial.text)).toEqual(['72D7.', '72D7. 732B.']);
    expect(partials.map((partial) => partial.total)).toEqual([3, 3]);
  });

  it('computes only the sentences it has not seen', async () => {
    const { client, engine } = await loaded();
    await client.translate('狗。猫。');
    const result = await client.translate('狗。猫。鸟。');
    expect(engine().translated).toEqual(['狗。', '猫。', '鸟。']);
    expect(result).toMatchObject({ text: '72D7. 732B. 9E1F.', remembered: 2 });
    await client.translate('狗。', { beamSize: 4 });
    expect(engine().translated.at(-1)).toBe('狗。'); // other options, other translation
  });

  it('forgets with the model', async () => {
    const { client, engine } = await loaded();
    await client.translate('狗。');
    await client.load(model, { base });
    await client.translate('狗。');
    expect(engine().translated).toEqual(['狗。', '狗。']);
  });

  it('the newest in a lane wins, and the others end as aborted', async () => {
    const { client } = await loaded();
    const settled = await Promise.allSettled([
      client.translate('狗。', { lane: 'typing' }),
      client.translate('狗追。', { lane: 'typing' }),
      client.translate('狗追猫。', { lane: 'typing' }),
      client.translate('鸟。'),
    ]);
    expect(settled.map((result) => result.status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
    expect((settled[0] as PromiseRejectedResult).reason).toMatchObject({ name: 'AbortError' });
    expect((settled[2] as PromiseFulfilledResult<{ text: string }>).value.text).toBe('72D7 8FFD 732B.');
  });

  it('a long text stops soon after it was cancelled', async () => {
    const stop = new AbortController();
    let count = 0;
    const { client, engine } = await loaded({
      onStep: () => {
        if (++count === 3) stop.abort(new DOMException('enough', 'AbortError'));
      },
    });
    const text = Array.from({ length: 500 }, (_, i) => `第${i}句。`).join('');
    await expect(client.translate(text, { signal: stop.signal })).rejects.toThrow('enough');
    await client.translate('狗。'); // the worker is free for it
    expect(engine().steps).toBeLessThanOrEqual(5); // the step after, and that of the dog
    expect(engine().translated.length).toBeLessThanOrEqual(129); // one job, and the dog
  });

  it('a text of many sentences is translated some at a time, more as it goes on', async () => {
    const { client, engine } = await loaded();
    const partials: PartialTranslation[] = [];
    const text = Array.from({ length: 40 }, (_, i) => `第${i}句。`).join('');
    const whole = await client.translate(text, { onPartial: (partial) => partials.push(partial) });
    const counts = new Set(partials.map((partial) => partial.sentences.length));
    expect([...counts].filter((count) => count > 0)).toEqual([1, 2, 4, 8, 16, 32]);
    expect(whole.sentences).toHaveLength(40);
    expect(new Set(engine().translated).size).toBe(40);
    const again = await client.translate(text);
    expect(again).toMatchObject({ text: whole.text, sentences: whole.sentences, remembered: 40 });
  });

  it('shows the sentence under way word by word', async () => {
    let time = 0;
    const { client } = await loaded({}, { now: () => (time += 20) });
    const drafts: string[] = [];
    await client.translate('狗追猫。猫追狗。', { onPartial: ({ draft }) => drafts.push(draft) });
    expect(drafts).toEqual([
      '72D7',
      '72D7 8FFD',
      '72D7 8FFD 732B.',
      '72D7 8FFD 732B. 732B',
      '72D7 8FFD 732B. 732B 8FFD',
    ]);
  });

  it('texts that wait at the same time are translated in one job', async () => {
    const { client, engine } = await loaded();
    const texts = Array.from({ length: 40 }, (_, i) => `第${i}句。`);
    const translations = await Promise.all(texts.map((text) => client.translate(text)));
    expect(translations.map(({ text }) => text)).toEqual(texts.map(spell));
    expect(engine().jobs.map((job) => job.length)).toEqual([32, 8]);
    expect(engine().jobsAlive).toBe(0);
  });

  it('a text nobody watches is translated in large jobs, for which others do not wait', async () => {
    const { client, engine } = await loaded();
    const long = Array.from({ length: 140 }, (_, i) => `第${i}句。`).join('');
    const [{ text, sentences }] = await Promise.all([client.translate(long), client.translate('狗。')]);
    expect(engine().jobs.map((job) => job.length)).toEqual([128, 1, 12]);
    expect(engine().jobs[1]).toEqual(['狗。']);
    expect(sentences).toHaveLength(140);
    expect(text).toBe(sentences.map(({ source }) => spell(long.slice(source.begin, source.end))).join(' '));
  });

  it('a cancelled translation takes one more decoder step at most', async () => {
    const stop = new AbortController();
    let after = -1;
    const { client, engine } = await loaded({
      onStep: () => {
        if (stop.signal.aborted) after++;
        else if (++count === 5) {
          after = 0;
          stop.abort();
        }
      },
    });
    let count = 0;
    const text = `${'狗'.repeat(500)}。`;
    await expect(client.translate(text, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
    await client.translate('猫。');
    expect(after).toBeLessThanOrEqual(2); // the step after, and that of the cat
    expect(engine().jobsAlive).toBe(0);
  });

  it('a job goes on as long as one of its texts is waited for', async () => {
    const stop = new AbortController();
    const { client, engine } = await loaded({ onStep: () => stop.abort() });
    const first = client.translate('狗追猫。', { signal: stop.signal });
    const second = client.translate('猫追狗。');
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    expect((await second).text).toBe('732B 8FFD 72D7.');
    expect(engine().jobs).toEqual([['狗追猫。', '猫追狗。']]);
    expect(engine().jobsAlive).toBe(0);
  });

  it('a sentence the engine refuses does not take the others of its job with it', async () => {
    const { client, engine } = await loaded({
      onSentence: (text) => {
        if (text === '坏。') throw new Error('text: too long');
      },
    });
    const settled = await Promise.allSettled(['狗。', '坏。', '猫。'].map((text) => client.translate(text)));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(engine().jobsAlive).toBe(0);
  });

  it('lists the best few of each sentence when asked to', async () => {
    const { client } = await loaded();
    const { sentences } = await client.translate('狗。猫。', { nbest: 2, beamSize: 2 });
    expect(sentences.map(({ candidates }) => candidates?.map(({ text }) => text))).toEqual([
      ['72D7.', '72D7.*'],
      ['732B.', '732B.*'],
    ]);
  });

  it('says which build answers', async () => {
    const { client } = connected();
    expect(await client.load(model, { base })).toMatchObject({
      variant: 'translucent-threads',
      instructionSet: 'fake',
      threads: 3,
    });
  });

  it('a short text does not wait for a long one', async () => {
    const { client } = await loaded();
    const order: string[] = [];
    const long = Array.from({ length: 300 }, (_, i) => `第${i}句。`).join('');
    await Promise.all([
      client.translate(long).then(() => order.push('long')),
      client.explain('狗追猫。').then(() => order.push('explanation')),
      client.translate('狗。').then(() => order.push('short')),
    ]);
    expect(order).toEqual(['explanation', 'short', 'long']);
  });

  it('an aborted signal asks the worker nothing', async () => {
    const { client, requests } = await loaded();
    const before = requests.length;
    await expect(client.translate('狗。', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(requests.length).toBe(before);
  });

  it('replaces halves of surrogate pairs, which no encoder takes', async () => {
    const { client, engine } = await loaded();
    await client.translate('a\ud83d。');
    expect(engine().translated).toEqual(['a\ufffd。']);
  });

  it('before a model is loaded is an error of state', async () => {
    const { client } = connected();
    await expect(client.translate('狗。')).rejects.toMatchObject({ kind: 'state' });
  });
});

describe('explain', () => {
  it('brings tokens and weights across', async () => {
    const { client } = await loaded({ layers: 3, heads: 2 });
    const { source, target, encoder, decoder, cross } = await client.explain('狗追猫。');
    expect(source.tokens.map((token) => token.piece)).toEqual(['▁狗', '追', '猫', '。', '</s>']);
    expect(target.text).toBe('72D7 8FFD 732B.');
    expect(encoder.shape).toEqual([3, 2, 5, 5]);
    expect(decoder.shape).toEqual([3, 2, 4, 4]);
    expect(cross.shape).toEqual([3, 2, 4, 5]);
    expect(cross.weights).toBeInstanceOf(Float32Array);
    expect(cross.weights.length).toBe(3 * 2 * 4 * 5);
  });

  it('explains a given translation', async () => {
    const { client } = await loaded();
    expect((await client.explain('狗。', { target: 'A dog.' })).target.text).toBe('A dog.');
  });
});

describe('the other requests', () => {
  it('candidates of each step come with the explanation', async () => {
    const { client } = await loaded();
    const { steps, target } = await client.explain('狗追。', { candidates: 3 });
    expect(steps).toHaveLength(target.tokens.length);
    expect(steps[0]!.candidates.map(({ probability }) => probability)).toEqual([0.5, 0.25, 0.125]);
    expect((await client.explain('狗追。')).steps).toEqual([]);
  });

  it('continuations of given beginnings', async () => {
    const { client } = await loaded();
    const found = await client.continuations('狗。', [[7], [7, 8]]);
    expect(found.map(({ text }) => text)).toEqual(['7 72D7.', '7 8 72D7.']);
  });

  it('scores of a fixed target', async () => {
    const { client } = await loaded();
    const scores = await client.score(['狗。', '狗追。'], [5, 6]);
    expect(scores).toEqual([new Float32Array([1 / 3, 1 / 4]), new Float32Array([1 / 4, 1 / 5])]);
  });

  it('a function that inside.ts does not list is refused', async () => {
    const { client } = await loaded();
    for (const method of ['delete', 'constructor', 'toString']) {
      await expect(client.inside(method)).rejects.toMatchObject({
        kind: 'input',
        message: `inside: the engine has no function ${method}`,
      });
    }
  });

  it('a model can be given as files', async () => {
    const { client } = connected();
    await client.loadFiles(files);
    expect((await client.translate('狗。')).text).toBe('72D7.');
  });

  it('what was downloaded is given back once the engine has it, under however many names', async () => {
    const bytes = new Uint8Array(8);
    const named = ['source.spm', 'target.spm'].map((name) => ({ name, bytes }));
    await loaded({}, { download: async () => named });
    expect(bytes.buffer.byteLength).toBe(0);
  });
});

describe('faults', () => {
  it('what the engine refuses is about the text, and the next call works', async () => {
    const { client } = await loaded({
      onSentence: (text) => {
        if (text === '坏。') throw new Error('text: too long');
      },
    });
    await expect(client.translate('坏。')).rejects.toMatchObject({ kind: 'input', message: 'text: too long' });
    expect((await client.translate('狗。')).text).toBe('72D7.');
  });

  it('a trap ends every call in flight; the next load gets a fresh worker', async () => {
    const { client, workers } = await loaded({
      onSentence: (text) => {
        if (text === '坏。') throw new WebAssembly.RuntimeError('unreachable');
      },
    });
    const settled = await Promise.allSettled([
      client.translate('坏。'),
      client.translate('狗。'.repeat(50)),
      client.explain('猫。').then(() => client.translate('猫。'.repeat(90))),
    ]);
    for (const result of settled) {
      expect(result.status).toBe('rejected');
      const { reason } = result as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(TranslucentError);
    }
    expect(settled[0]).toMatchObject({
      reason: { kind: 'crashed', message: 'the engine stopped: unreachable' },
    });
    await client.load(model, { base });
    expect(workers.length).toBe(2);
    expect((await client.translate('狗。')).text).toBe('72D7.');
  });

  it('memory that ran out is a crash', async () => {
    const { client } = await loaded({
      onStep: () => {
        throw new Error('memory: not enough');
      },
    });
    await expect(client.translate('狗。')).rejects.toMatchObject({ kind: 'crashed' });
  });

  it('a worker that dies rejects what waits for it', async () => {
    const { client, workers } = await loaded();
    const translation = client.translate('狗。');
    workers[0]!.onerror?.({ message: '' } as ErrorEvent);
    await expect(translation).rejects.toMatchObject({
      kind: 'crashed',
      message: 'the worker stopped: its script could not be loaded',
    });
  });

  it('after destroy() calls are rejected, those in flight aborted', async () => {
    const { client } = await loaded();
    const translation = client.translate('狗。');
    client.destroy();
    await expect(translation).rejects.toMatchObject({ name: 'AbortError' });
    await expect(client.translate('狗。')).rejects.toMatchObject({ kind: 'state' });
  });
});
