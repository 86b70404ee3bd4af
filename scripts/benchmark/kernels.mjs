// The kernels' microbenchmarks (Google Benchmark), where they are built: natively and under Node.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** [{target, benchmarks: [{name, nanoseconds, counters}]} or {target, failure}] */
export function measureKernels(root, progress) {
  const targets = [
    { target: 'native', file: 'build/native/kernels_bench', run: (file) => [file, []] },
    { target: 'wasm', file: 'build/wasm/kernels_bench.cjs', run: (file) => [process.execPath, [file]] },
  ];
  return targets.map(({ target, file, run }) => {
    const path = join(root, file);
    if (!existsSync(path)) return { target, failure: `${file}: not built` };
    progress(`kernels, ${target}`);
    const [command, parameters] = run(path);
    try {
      const output = execFileSync(command, [...parameters, '--benchmark_format=json'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 1 << 26,
      });
      const { benchmarks } = JSON.parse(output);
      return { target, benchmarks };
    } catch (error) {
      return { target, failure: error.message.split('\n')[0] };
    }
  });
}
