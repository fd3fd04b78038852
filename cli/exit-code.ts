/** How a command ends; printed by `tidemark --help`. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  checkFailed: 3,
  invalidConfig: 78,
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODE_MEANINGS: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [ExitCode.done, 'done; also after a first Ctrl-C, once everything read is written'],
  [ExitCode.failed, 'failed while running, or lint or test found problems'],
  [ExitCode.usage, 'wrong usage'],
  [ExitCode.checkFailed, 'a quality check failed at severity error'],
  [ExitCode.invalidConfig, 'invalid configuration'],
  [ExitCode.interrupted, 'broken off by a second Ctrl-C'],
];
