// The Translator against what the Translator and Language Detector draft says of it
// (webmachinelearning/translation-api, index.bs), on a stand-in engine.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Port } from '../src/lib/client';
import type { CreateMonitor } from '../src/lib/model-api';
import type { ModelInfo } from '../src/lib/models';
import { polyfill } from '../src/lib/polyfill';
import type { Request } from '../src/lib/protocol';
import { TranslucentError } from '../src/lib/protocol';
import { Session, type SessionEnvironment } from '../src/lib/session';
import { useModel, workers } from '../src/lib/shared';
import { configure, network, Translator } from '../src/lib/translator';
import { FakeEngine, type FakeEngineOptions, spell } from './fake-engine';

const file = (digit: string) => ({ name: 'model.safetensors', bytes: 8, sha256: digit.repeat(64) });
const model = (source: string, target: string, digit: string): ModelInfo => ({
  id: `${source}-${target}`,
  source,
  target,
  name: `${source} to ${target}`,
  licence: '',
  scores: {},
  files: [file(digit)],
});
const models = [model('zh', 'en', '1'), model('en', 'zh', '2'), model('de', 'en', '3')];

let engines: FakeEngine[];
let ended: number;
let downloads: string[];
let indexAsked: number;
let options: FakeEngineOptions;
let environment: Partial<SessionEnvironment>;
let folder = 0;
const alive: { destroy(): void }[] = [];

beforeEach(() => {
  engines = [];
  ended = 0;
  downloads = [];
  indexAsked = 0;
  options = {};
  environment = {};
  configure({ models: `https://example.test/${++folder}/models` }); // nothing is remembered of the last test
  network.fetch = async () => {
    indexAsked++;
    return new Response(JSON.stringify({ models }));
  };
  workers.connect = () => {
    const engine = new FakeEngine(options);
    engines.push(engine);
    const { port1, port2 } = new MessageChannel();
    const session = new Session({
      post: (message, transfer = []) => port2.postMessage(message, transfer),
      engine: async () => ({ engine, variant: 'translucent', threads: 1 }),
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      download: async (base, { id }, { onProgress, signal } = {}) => {
        downloads.push(`${base}${id}`);
        for (const loaded of [0, 2, 8]) {
          onProgress?.(loaded, 8);
          await new Promise((resolve) => setTimeout(resolve, 1));
          signal?.throwIfAborted();
        }
        return [{ name: 'model.safetensors', bytes: new Uint8Array(8) }];
      },
      ...environment,
    });
    port2.onmessage = (event: MessageEvent<Request>) => session.handle(event.data);
    const port: Port = {
      postMessage: (message) => port1.postMessage(message),
      onmessage: null,
      onerror: null,
      terminate: () => {
        ended++;
        port1.close();
      },
    };
    port1.onmessage = (event) => port.onmessage?.(event);
    return port;
  };
});
afterEach(() => {
  for (const one of alive.splice(0)) one.destroy();
  workers.connect = undefined;
  network.fetch = undefined;
});

const zhen = { sourceLanguage: 'zh', targetLanguage: 'en' };
async function create(given: object = {}): Promise<Translator> {
  const translator = await Translator.create({ ...zhen, ...given });
  alive.push(translator);
  return translator;
}

/** Every chunk, and what the stream ended with. */
async function read(stream: ReadableStream<string>) {
  const chunks: string[] = [];
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { chunks, error: null };
      chunks.push(value);
    }
  } catch (error) {
    return { chunks, error };
  }
}

describe('availability()', () => {
  it.each([
    ['zh', 'en', 'downloadable'],
    ['zh-Hans-CN', 'en-US', 'downloadable'],
    ['cmn', 'EN-gb', 'downloadable'], // canonicalised first: cmn is zh
    ['en', 'zh-TW', 'downloadable'],
    ['en-Braille-x-lolcat', 'zh', 'downloadable'],
    ['zh', 'de', 'unavailable'],
    ['tlh', 'en', 'unavailable'],
    ['en-US', 'en-GB', 'available'], // the draft's own example of an identity translation
    ['zh-Hans', 'zh-Hant', 'unavailable'],
    ['en', 'en-GB', 'available'],
    ['en-x-asdf', 'en', 'available'],
    ['tlh', 'tlh', 'available'],
  ])('%s to %s: %s', async (sourceLanguage, targetLanguage, expected) => {
    expect(await Translator.availability({ sourceLanguage, targetLanguage })).toBe(expected);
  });

  it('follows the model from downloadable over downloading to available', async () => {
    const states = [await Translator.availability(zhen)];
    const creating = create({
      monitor: (monitor: CreateMonitor) =>
        monitor.addEventListener('downloadprogress', () => {
          void Translator.availability(zhen).then((state) => states.push(state));
        }),
    });
    await creating;
    states.push(await Translator.availability(zhen));
    expect(states[0]).toBe('downloadable');
    expect(states).toContain('downloading');
    expect(states.at(-1)).toBe('available');
  });

  it.each([
    ['no options', undefined, TypeError],
    ['no target', { sourceLanguage: 'en' }, TypeError],
    ['not an object', 'en', TypeError],
    ['an invalid tag', { sourceLanguage: 'e-n', targetLanguage: 'zh' }, RangeError],
    ['an empty tag', { sourceLanguage: '', targetLanguage: 'zh' }, RangeError],
    ['an underscore', { sourceLanguage: 'en_US', targetLanguage: 'zh' }, RangeError],
  ])('%s rejects', async (_name, given, type) => {
    await expect(Translator.availability(given as never)).rejects.toThrow(type);
    await expect(Translator.create(given as never)).rejects.toThrow(type);
  });

  it('an index that cannot be read is an UnknownError, and asked for again the next time', async () => {
    const works = network.fetch;
    network.fetch = async () => new Response('', { status: 500 });
    await expect(Translator.availability(zhen)).rejects.toMatchObject({ name: 'UnknownError' });
    await expect(Translator.create(zhen)).rejects.toMatchObject({ name: 'UnknownError' });
    network.fetch = works;
    expect(await Translator.availability(zhen)).toBe('downloadable');
    await Translator.availability(zhen);
    expect(indexAsked).toBe(1);
  });
});

describe('create()', () => {
  it('gives a Translator with the languages that fit best', async () => {
    const translator = await create({ sourceLanguage: 'ZH-hans-cn', targetLanguage: 'en-us' });
    expect(translator).toBeInstanceOf(Translator);
    expect([translator.sourceLanguage, translator.targetLanguage]).toEqual(['zh', 'en']);
    expect(Object.prototype.toString.call(translator)).toBe('[object Translator]');
    expect(() => {
      'use strict';
      (translator as { sourceLanguage: string }).sourceLanguage = 'de';
    }).toThrow(TypeError);
  });

  it('cannot be gone round', () => {
    expect(() => new (Translator as unknown as new () => Translator)()).toThrow(TypeError);
  });

  it('a text is its own translation where both languages are the same', async () => {
    const translator = await create({ sourceLanguage: 'en-x-asdf', targetLanguage: 'en' });
    expect([translator.sourceLanguage, translator.targetLanguage]).toEqual(['en-x-asdf', 'en']);
    expect(await translator.translate('dog.')).toBe('dog.');
    expect(downloads).toEqual([]);
    await expect(translator.explain('dog.')).rejects.toBeInstanceOf(DOMException);
  });

  it('languages without a model are a NotSupportedError', async () => {
    const events: number[] = [];
    const monitor = (target: CreateMonitor) => {
      target.ondownloadprogress = ({ loaded }) => events.push(loaded);
    };
    await expect(create({ targetLanguage: 'fr', monitor })).rejects.toMatchObject({ name: 'NotSupportedError' });
    expect(events).toEqual([]);
  });

  it('0 and 1 fire, once, in order; total is 1', async () => {
    for (const round of ['downloaded', 'shared']) {
      const events: ProgressEvent[] = [];
      const handled: number[] = [];
      await create({
        monitor(monitor: CreateMonitor) {
          monitor.addEventListener('downloadprogress', (event) => events.push(event as ProgressEvent));
          monitor.ondownloadprogress = function (event) {
            expect(this).toBe(monitor);
            handled.push(event.loaded);
          };
        },
      });
      const loaded = events.map((event) => event.loaded);
      expect(loaded[0], round).toBe(0);
      expect(loaded.at(-1)).toBe(1);
      expect(loaded).toEqual([...new Set(loaded)].sort((a, b) => a - b));
      expect(handled).toEqual(loaded);
      for (const event of events) expect(event).toMatchObject({ total: 1, lengthComputable: true });
      for (const value of loaded) expect(value * 65_536).toBe(Math.floor(value * 65_536));
    }
  });

  it('who joins a download hears of what is left of it', async () => {
    let goOn = () => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    environment.download = async (_base, _model, { onProgress } = {}) => {
      onProgress?.(4, 8);
      await waiting;
      onProgress?.(6, 8);
      return [{ name: 'model.safetensors', bytes: new Uint8Array(8) }];
    };
    const source = { base: 'https://example.test/', model: models[0]! };
    const heard: number[][] = [[], []];
    const [first, second] = [useModel(source), useModel(source)];
    const ready = [first.ready((fraction) => heard[0]!.push(fraction))];
    await vi.waitUntil(() => heard[0]!.length > 0);
    ready.push(second.ready((fraction) => heard[1]!.push(fraction)));
    goOn();
    await Promise.all(ready);
    expect(heard).toEqual([[0.5, 0.75], [0.5]]);
    for (const { use } of [first, second]) use.release();
  });

  it('what the monitor throws is what create() rejects with', async () => {
    const error = new Error('no');
    const monitor = () => {
      throw error;
    };
    await expect(create({ monitor })).rejects.toBe(error);
    expect(downloads).toEqual([]);
  });

  it('an aborted signal: its reason, and nothing is fetched', async () => {
    const reason = { own: 'reason' };
    await expect(create({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(indexAsked).toBe(0);
  });

  it('an invalid tag comes before an aborted signal', async () => {
    await expect(create({ sourceLanguage: '?', signal: AbortSignal.abort() })).rejects.toThrow(RangeError);
  });

  it('aborted while the model comes: the reason, no more events, the worker ends', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const after: number[] = [];
    const creating = create({
      signal: stop.signal,
      monitor: (monitor: CreateMonitor) => {
        monitor.ondownloadprogress = ({ loaded }) => {
          if (stop.signal.aborted) after.push(loaded);
          stop.abort(reason);
        };
      },
    });
    await expect(creating).rejects.toBe(reason);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(after).toEqual([]);
    expect(ended).toBe(engines.length);
  });

  it('one who gives up does not take the model from another', async () => {
    const stop = new AbortController();
    const first = create({ signal: stop.signal });
    const second = create();
    await new Promise((resolve) => setTimeout(resolve, 0));
    stop.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    expect(await (await second).translate('狗。')).toBe('72D7.');
    expect(downloads.length).toBe(1);
  });

  it('the signal destroys the translator later', async () => {
    const stop = new AbortController();
    const translator = await create({ signal: stop.signal });
    const reason = new Error('over');
    const under = translator.translate('狗。');
    stop.abort(reason);
    await expect(under).rejects.toBe(reason);
    await expect(translator.translate('狗。')).rejects.toBe(reason);
    expect(ended).toBe(1);
  });

  it.each([
    ['download', 'NetworkError'],
    ['model', 'OperationError'],
  ] as const)('a failure of the %s is a %s, and the next try begins anew', async (kind, name) => {
    let times = 0;
    const works = environment.download;
    environment.download = async () => {
      if (times++ === 0) {
        throw new TranslucentError({ kind: kind as 'model', message: 'broken' });
      }
      return [{ name: 'model.safetensors', bytes: new Uint8Array(8) }];
    };
    const failed = create();
    await expect(failed).rejects.toMatchObject({ name, message: 'broken', cause: { kind } });
    await expect(failed).rejects.toBeInstanceOf(DOMException);
    expect(await (await create()).translate('狗。')).toBe('72D7.');
    environment.download = works!;
  });

  it.each([
    ['signal', { signal: {} }],
    ['monitor', { monitor: {} }],
  ])('a %s that is none is a TypeError', async (_name, given) => {
    await expect(create(given)).rejects.toThrow(TypeError);
  });

  it('a second one of the same model shares its worker; another model has its own', async () => {
    const [one, two] = await Promise.all([create(), create({ sourceLanguage: 'zh-CN' })]);
    const other = await create({ sourceLanguage: 'de' });
    expect(engines.length).toBe(2);
    expect(downloads.length).toBe(2);
    one.destroy();
    expect(ended).toBe(0);
    expect(await two.translate('狗。')).toBe('72D7.');
    two.destroy();
    expect(ended).toBe(1);
    expect(await other.translate('a.')).toBe('61.');
  });

  it('takes a model by the address of its folder, or its files', async () => {
    const byAddress = await create({ model: 'https://elsewhere.test/m/de-en/' });
    expect(downloads).toEqual(['https://elsewhere.test/m/de-en']);
    expect(await byAddress.translate('狗。')).toBe('72D7.');
    await expect(create({ model: 'https://elsewhere.test/m/xx/' })).rejects.toMatchObject({
      name: 'UnknownError',
      message: 'https://elsewhere.test/m/index.json lists no model xx',
    });
    for (const given of [
      [{ name: 'model.safetensors', bytes: new Uint8Array(8) }],
      { 'model.safetensors': new Uint8Array(8).buffer },
      [new File([new Uint8Array(8)], 'model.safetensors')],
    ]) {
      const translator = await create({ model: given, sourceLanguage: 'ja' });
      expect(translator.sourceLanguage).toBe('ja');
      expect(await translator.translate('狗。')).toBe('72D7.');
    }
    expect(downloads.length).toBe(1);
    await expect(create({ model: [] })).rejects.toMatchObject({ name: 'OperationError' });
    await expect(create({ model: [{ name: 'x', bytes: 5 }] })).rejects.toThrow(TypeError);
  });
});

describe('translate()', () => {
  it('translates', async () => {
    const translator = await create();
    expect(await translator.translate('狗追猫。猫追狗。')).toBe('72D7 8FFD 732B. 732B 8FFD 72D7.');
  });

  it.each(['', ' ', '\n\t \r\n', '\u0000\u0007', '\u200b', '123', '?!… 😀', ' 1\n '])(
    'nothing to translate in %j: echoed',
    async (text) => {
      const translator = await create();
      expect(await translator.translate(text)).toBe(text);
      expect((await read(translator.translateStreaming(text))).chunks.join('')).toBe(text);
      expect(engines[0]!.jobs).toEqual([]);
    },
  );

  it('converts its argument as the platform does', async () => {
    const translator = await create();
    expect(await translator.translate(null as never)).toBe(spell('null'));
    await expect(translator.translate(Symbol('s') as never)).rejects.toThrow(TypeError);
    await expect((translator as unknown as { translate(): Promise<string> }).translate()).rejects.toThrow(TypeError);
    await expect(translator.translate('a', 5 as never)).rejects.toThrow(TypeError);
    await expect(translator.translate('a', { signal: {} as never })).rejects.toThrow(TypeError);
    await expect(Translator.prototype.translate.call({} as never, 'a')).rejects.toThrow(TypeError);
  });

  it('before, during and after an abort', async () => {
    const translator = await create();
    const reason = new Error('own reason');
    await expect(translator.translate('狗。', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const during = translator.translate('狗。'.repeat(300), { signal: stop.signal });
    const other = translator.translate('猫。');
    stop.abort(reason);
    await expect(during).rejects.toBe(reason);
    expect(await other).toBe('732B.');
    const done = await translator.translate('狗。', { signal: new AbortController().signal });
    expect(done).toBe('72D7.');
  });

  it('during and after destroy(): an AbortError', async () => {
    const translator = await create();
    const during = translator.translate('狗。'.repeat(300));
    translator.destroy();
    translator.destroy(); // no harm
    await expect(during).rejects.toMatchObject({ name: 'AbortError' });
    await expect(during).rejects.toBeInstanceOf(DOMException);
    for (const call of [
      () => translator.translate('狗。'),
      () => translator.translate(''),
      () => translator.measureInputUsage('狗。'),
      () => translator.explain('狗。'),
      () => translator.translateHTML('<p>狗。'),
    ]) {
      await expect(call()).rejects.toMatchObject({ name: 'AbortError' });
    }
    expect(() => translator.translateStreaming('狗。')).toThrow(DOMException);
    expect(ended).toBe(1);
  });

  it('the best few, of all ways to combine those of the sentences', async () => {
    const translator = await create();
    const list = await translator.translate('狗。猫。', { nbest: 3, beam: 4 });
    expect(list.map(({ text }) => text)).toEqual(['72D7. 732B.', '72D7. 732B.*', '72D7.* 732B.']);
    expect(list.map(({ score }) => score)).toEqual([-0.4, -1.4, -1.4]);
    expect(await translator.translate(' ', { nbest: 2 })).toEqual([{ text: ' ', score: 0 }]);
    await expect(translator.translate('狗。', { beam: 0 })).rejects.toThrow(TypeError);
  });

  it('has no quota', async () => {
    const translator = await create();
    expect(translator.inputQuota).toBe(Infinity);
    expect(await translator.measureInputUsage('狗。'.repeat(1000))).toBe(0);
    const reason = new Error('r');
    await expect(translator.measureInputUsage('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('a trap rejects the calls in flight; the next one gets a fresh engine', async () => {
    options.onSentence = (text) => {
      if (text === '坏。') throw new WebAssembly.RuntimeError('unreachable');
    };
    const translator = await create();
    const settled = await Promise.allSettled([translator.translate('坏。'), translator.translate('狗。'.repeat(99))]);
    for (const result of settled) {
      expect((result as PromiseRejectedResult).reason).toMatchObject({
        name: 'UnknownError',
        message: 'the engine stopped: unreachable',
        cause: { kind: 'crashed' },
      });
    }
    expect(await translator.translate('狗。')).toBe('72D7.');
    expect(engines.length).toBe(2);
    translator.destroy();
    expect(ended).toBe(2);
  });
});

describe('translateStreaming()', () => {
  it('its chunks are the translation', async () => {
    const translator = await create();
    const text = Array.from({ length: 9 }, (_, i) => `第${i}句。`).join('');
    const { chunks, error } = await read(translator.translateStreaming(` ${text}\n`));
    expect(error).toBeNull();
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.join('')).toBe(await translator.translate(` ${text}\n`));
  });

  it('throws at once where it is aborted already', async () => {
    const translator = await create();
    const reason = new Error('r');
    expect(() => translator.translateStreaming('a', { signal: AbortSignal.abort(reason) })).toThrow(reason);
    expect(() => (translator as unknown as { translateStreaming(): void }).translateStreaming()).toThrow(TypeError);
  });

  it('an abort under way is the error of the stream', async () => {
    const translator = await create();
    const stop = new AbortController();
    const reason = new Error('r');
    options.onSentence = () => stop.abort(reason);
    expect((await read(translator.translateStreaming('狗。猫。'.repeat(200), { signal: stop.signal }))).error).toBe(reason);
    expect(await translator.translate('猫。')).toBe('732B.');
    expect(engines[0]!.translated.length).toBeLessThan(60);
    expect(engines[0]!.jobsAlive).toBe(0);
  });

  it('destroy() under way is an AbortError of the stream', async () => {
    const translator = await create();
    const reading = read(translator.translateStreaming('狗。猫。'.repeat(200)));
    translator.destroy();
    expect((await reading).error).toMatchObject({ name: 'AbortError' });
  });

  it('a stream nobody reads on costs nothing more', async () => {
    const translator = await create();
    const text = Array.from({ length: 500 }, (_, i) => `第${i}句。`).join('');
    const stream = translator.translateStreaming(text);
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    expect(await translator.translate('猫。')).toBe('732B.');
    expect(engines[0]!.translated.length).toBeLessThan(60);
    expect(engines[0]!.jobsAlive).toBe(0);
  });

  it('a fault of the engine is the error of the stream', async () => {
    options.onSentence = (text) => {
      if (text === '坏。') throw new Error('text: too long');
    };
    const translator = await create();
    const { chunks, error } = await read(translator.translateStreaming('狗。坏。'));
    expect(chunks).toEqual(['72D7.']);
    expect(error).toMatchObject({ name: 'UnknownError', message: 'text: too long' });
  });
});

describe('explain()', () => {
  it('has tokens, words, maps, alignment and candidates', async () => {
    const translator = await create();
    const { source, words, cross, steps } = await translator.explain('狗追猫。', { candidates: 2 });
    expect(source.tokens.length).toBe(5);
    expect(cross.weights).toBeInstanceOf(Float32Array);
    expect(cross.weights.length).toBe(cross.shape.reduce((a, b) => a * b));
    expect(steps[0]!.candidates.length).toBe(2);
    expect(words.target.map(({ text }) => text)).toEqual(['72D7', '8FFD', '732B.']);
    for (const { source: from, target } of words.alignment) {
      expect(words.source[from]).toBeDefined();
      expect(words.target[target]).toBeDefined();
    }
    for (const word of words.source) expect('狗追猫。'.slice(word.begin, word.end)).toBe(word.text);
  });
});

describe('polyfill()', () => {
  it('installs what is missing and leaves the browser’s own alone', () => {
    const scope: Record<string, unknown> = { Translator: 'native' };
    expect(polyfill({ scope })).toEqual(['LanguageDetector', 'CreateMonitor']);
    expect(scope.Translator).toBe('native');
    expect(polyfill({ scope, force: true })).toContain('Translator');
    expect(scope.Translator).toBe(Translator);
    expect(Object.keys(scope)).toEqual([]);
  });
});
