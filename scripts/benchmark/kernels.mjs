// The kernels' microbenchmarks (tests/bench), where they are built: natively, under Node and in Chromium.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const bench = (name) => `build/wasm/${name}.cjs`;
const kTargets = [
  { target: 'native', file: 'build/native/kernels_bench', command: (file) => [file, '--benchmark_format=json'] },
  ...['kernels_bench', 'kernels_relaxed_bench'].flatMap((name) => {
    const build = name.includes('relaxed') ? 'wasm, relaxed SIMD' : 'wasm';
    const flags = name.includes('relaxed') ? ['--experimental-wasm-relaxed-simd'] : [];
    return [
      { target: `Node, ${build}`, file: bench(name), command: (file) => [process.execPath, ...flags, file] },
      {
        target: `Chromium, ${build}`,
        file: bench(name),
        command: (_, root) => [process.execPath, join(root, 'tests/bench/chromium.mjs'), name],
      },
    ];
  }),
];

/** [{target, benchmarks: [{name, real_time, time_unit, counters...}]} or {target, failure}] */
export function measureKernels(root, progress) {
  return kTargets.map(({ target, file, command }) => {
    const path = join(root, file);
    if (!existsSync(path)) return { target, failure: `${file}: not built` };
    progress(`kernels, ${target}`);
    const [program, ...parameters] = command(path, root);
    try {
      const output = execFileSync(program, parameters, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        maxBuffer: 1 << 26,
      });
      const benchmarks = output.startsWith('{') ? JSON.parse(output).benchmarks : parseLines(output);
      if (!benchmarks.length) throw new Error('it printed no measurement');
      return { target, benchmarks };
    } catch (error) {
      const said = (error.stderr || error.message).trim().split('\n');
      return { target, failure: said.find((line) => /error/i.test(line)) ?? said[0] };
    }
  });
}

/** Lines of tests/bench/benchmark.h: `name   123 ns counter=1.5 ...` */
function parseLines(output) {
  return output.split('\n').flatMap((line) => {
    const [, name, time, rest] = /^(\S+) +(\d+) ns(.*)$/.exec(line) ?? [];
    if (!name) return [];
    const counters = [...rest.matchAll(/ (\S+?)=(\S+)/g)].map(([, counter, value]) => [counter, Number(value)]);
    return [{ name, real_time: Number(time), time_unit: 'ns', ...Object.fromEntries(counters) }];
  });
}
