// Which build runs where, and that the page never waits for threads that do not come.

import { describe, expect, it } from 'vitest';
import type { Engine } from '../src/lib/engine';
import { type Choice, chooseVariant, detectFeatures, startEngine } from '../src/lib/variants';
import { FakeEngine } from './fake-engine';

const all = { relaxedSimd: true, crossOriginIsolated: true, processors: 8 };

describe('the build is chosen by what the browser can do', () => {
  it.each([
    [{}, 'translucent-relaxed-threads', 4],
    [{ processors: 2 }, 'translucent-relaxed-threads', 2],
    [{ relaxedSimd: false }, 'translucent-threads', 4],
    [{ crossOriginIsolated: false }, 'translucent-relaxed', 1],
    [{ processors: 1 }, 'translucent-relaxed', 1],
    [{ processors: 0 }, 'translucent-relaxed', 1],
    [{ relaxedSimd: false, crossOriginIsolated: false }, 'translucent', 1],
  ])('%j', (less, variant, threads) => {
    expect(chooseVariant({ ...all, ...less })).toEqual({ variant, threads });
  });

  it('features are read from the scope, and nothing is isolated that does not say so', async () => {
    const scope = (fields: object) => fields as unknown as typeof globalThis;
    expect(await detectFeatures(scope({}))).toMatchObject({ crossOriginIsolated: false, processors: 1 });
    expect(
      await detectFeatures(scope({ crossOriginIsolated: true, navigator: { hardwareConcurrency: 6 } })),
    ).toMatchObject({ crossOriginIsolated: true, processors: 6 });
    expect(await detectFeatures(scope({ crossOriginIsolated: false }))).toMatchObject({ crossOriginIsolated: false });
  });
});

describe('starting', () => {
  const engine: Engine = new FakeEngine();

  it('starts the best build, once', async () => {
    const tried: Choice[] = [];
    const started = await startEngine(all, async (choice) => (tried.push(choice), engine));
    expect(started).toEqual({ variant: 'translucent-relaxed-threads', threads: 4, engine });
    expect(tried).toHaveLength(1);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('no worker'))],
    ['never answers', () => new Promise<Engine>(() => {})],
  ])('goes on with one thread where the build with threads %s', async (_, threaded) => {
    const started = await startEngine(all, ({ threads }) => (threads > 1 ? threaded() : Promise.resolve(engine)), 20);
    expect(started).toEqual({ variant: 'translucent-relaxed', threads: 1, engine });
  });

  it('says why not even one thread works', async () => {
    const start = () => Promise.reject(new Error('no WebAssembly'));
    await expect(startEngine(all, start)).rejects.toThrow('no WebAssembly');
  });
});
