// Which build of the WebAssembly module this browser runs, and how it is started.

import { relaxedSimd } from 'wasm-feature-detect';
import type { Engine } from './engine';

/** The builds in build/wasm: relaxed SIMD where the engine has it, threads where memory may be shared. */
export const kVariants = [
  'translucent',
  'translucent-relaxed',
  'translucent-threads',
  'translucent-relaxed-threads',
] as const;
export type Variant = (typeof kVariants)[number];

export interface Features {
  relaxedSimd: boolean;
  /** Only an isolated page may share memory between threads; without it they would wait forever. */
  crossOriginIsolated: boolean;
  /** Logical processors. */
  processors: number;
}

export interface Choice {
  variant: Variant;
  /** That translate, the worker's own among them. */
  threads: number;
}

/** A module that answers, and which one it is. */
export interface StartedEngine extends Choice {
  engine: Engine;
}

/** More than a handful only fight over the memory bus, and each costs a worker. */
const kMostThreads = 4;

export function chooseVariant({ relaxedSimd, crossOriginIsolated, processors }: Features): Choice {
  const threads = crossOriginIsolated ? Math.max(1, Math.min(processors, kMostThreads)) : 1;
  const relaxed = relaxedSimd ? '-relaxed' : '';
  return { variant: `translucent${relaxed}${threads > 1 ? '-threads' : ''}`, threads };
}

export async function detectFeatures(scope: typeof globalThis = globalThis): Promise<Features> {
  return {
    relaxedSimd: await relaxedSimd(),
    crossOriginIsolated: scope.crossOriginIsolated === true && typeof SharedArrayBuffer !== 'undefined',
    processors: scope.navigator?.hardwareConcurrency ?? 1,
  };
}

/** Starts one build. */
export type Start = (choice: Choice) => Promise<Engine>;

/** How long the helping threads may take to come up before the page does without them. */
const kStartLimit = 10_000;

/**
 * Starts the best build, and where its threads do not come up (a policy that forbids their workers, a
 * browser that ran out of them), the same without threads: slower, but it answers.
 */
export async function startEngine(
  features: Features,
  start: Start,
  limit = kStartLimit,
): Promise<StartedEngine> {
  const choice = chooseVariant(features);
  if (choice.threads > 1) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), limit);
    });
    try {
      const engine = await Promise.race([start(choice), late]);
      if (engine) return { ...choice, engine };
    } catch {
      // What is wrong with the module itself the one without threads will say.
    } finally {
      clearTimeout(timer);
    }
  }
  const single = chooseVariant({ ...features, crossOriginIsolated: false });
  return { ...single, engine: await start(single) };
}
