/**
 * Loaded into a process under measurement with `node --import`: on exit it writes what the
 * operating system knows of the process to the file that TIDEMARK_BENCH_USAGE names.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const target = process.env['TIDEMARK_BENCH_USAGE'];

if (isMainThread && target !== undefined) {
  process.on('exit', () => {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    writeFileSync(
      target,
      JSON.stringify({
        peakBytes: Number(peak?.[1] ?? 0) * 1024,
        cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
      }),
    );
  });
}
