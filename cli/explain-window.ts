/** `tidemark explain-window`: why the windows of a key have not come yet. */

import type { Command } from 'commander';
import type { Inspection } from '../index.ts';
import {
  action,
  note,
  type PipelineFlags,
  print,
  toJson,
  withExamples,
  withPipelineOptions,
} from './command.ts';
import { ExitCode } from './exit-code.ts';

/** As it comes out of JSON: 64-bit integers are texts. */
type Told<T> = T extends bigint
  ? string
  : T extends number
    ? number
    : T extends readonly (infer Item)[]
      ? readonly Told<Item>[]
      : T extends object
        ? { readonly [K in keyof T]: Told<T[K]> }
        : T;

interface Flags extends PipelineFlags {
  readonly symbol: string;
}

export function register(program: Command): void {
  const command = withPipelineOptions(
    program
      .command('explain-window')
      .summary('why the windows of a symbol have not come yet')
      .description(
        'Asks a run that is at work, and takes checkpoints, about a key: how far its\n' +
          'watermark is, which split holds it back and since when, and which windows are open\n' +
          'and at which watermark they are put out.',
      )
      .argument('<file>', 'pipeline file')
      .requiredOption('--symbol <key>', 'value of the key column'),
  );
  withExamples(command, [
    ['tidemark explain-window live.yaml --symbol SPY', 'where is the bar of SPY?'],
    ["tidemark explain-window live.yaml --symbol SPY --json | jq '.splits'", 'for programs'],
  ]).action(
    action(async (file: string, flags: Flags) => {
      const { readCheckpointedPlan } = await import('./read-plan.ts');
      const read = await readCheckpointedPlan(command, file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const { plan, checkpoint } = read;
      const { inspectRun, KEY_BYTES_MAX } = await import('./inspection.ts');
      if (Buffer.byteLength(flags.symbol) > KEY_BYTES_MAX) {
        return command.error(`error: --symbol is longer than ${KEY_BYTES_MAX} bytes`);
      }
      const told = (await inspectRun(checkpoint.folder, flags.symbol)) as
        | Told<Inspection>
        | null
        | undefined;
      if (told === undefined || told === null) {
        note(
          told === undefined
            ? await whyNone(plan.name, checkpoint.folder)
            : `the run of ${plan.name} is only just beginning`,
        );
        return ExitCode.failed;
      }
      print(...(flags.json === true ? [toJson(told)] : await describe(told)));
      return ExitCode.done;
    }),
  );
}

async function whyNone(name: string, folder: string): Promise<string> {
  const { describeHolder, runningEngine } = await import('../engine/checkpoint/folder-lock.ts');
  const holder = await runningEngine(folder);
  return holder === undefined
    ? `no run of ${name} is at work in ${folder}`
    : `the run of ${name}, ${describeHolder(holder)}, does not answer: it is beginning, ending, ` +
        'stopped, or in another container';
}

async function describe(told: Told<Inspection>): Promise<string[]> {
  const { formatCount } = await import('./terminal/numbers.ts');
  const { grid } = await import('./terminal/grid.ts');
  const { paletteFor, terminalWidth } = await import('./terminal/palette.ts');
  const { bold, dim } = paletteFor(process.stdout);
  const width = terminalWidth(process.stdout);
  const right = { align: 'right' } as const;
  const time = await timeTexts();
  const ago = (ms: number): string => time.elapsed(told.nowMs - ms);
  const lines = [
    `${bold(told.key)}  partition ${told.partition}, watermark ${time.text(told.watermark)}`,
  ];
  if (!told.isKnown) {
    const { similarKey } = told;
    const help = similarKey === undefined ? '' : `; did you mean ${similarKey}?`;
    // What the others of its partition wait for says nothing of a key that nobody has seen.
    return [...lines, `  never seen: no row of ${told.key} has come so far${help}`];
  }
  const counting = told.splits.filter(({ watermark }) => watermark !== undefined);
  const holder = counting.toSorted((a, b) =>
    BigInt(a.watermark!) < BigInt(b.watermark!) ? -1 : 1,
  )[0];
  for (const split of told.splits) {
    const state = split.hasEnded ? 'has ended' : split.isIdle ? 'is idle' : 'is read';
    const moved = split.hasEnded ? '' : `, last moved on ${ago(split.movedMs)} ago`;
    const holds = split === holder ? '  ← holds the watermark back' : '';
    const name = `${split.source} ${split.split}`;
    const upTo =
      BigInt(split.peak) === time.beginning ? 'no row yet' : `up to ${time.text(split.peak)}`;
    lines.push(`  ${name} ${state}, ${upTo}${moved}${holds}`);
  }
  if (holder === undefined) lines.push('  no split counts: the watermark stays until rows come');
  for (const { step, type, watermark, windows } of told.steps) {
    lines.push('', `${bold(step)} ${dim(type)}  at ${time.text(watermark)}`);
    if (windows.length === 0) lines.push('  no window is open');
    const rows = windows.map(({ start, end, rows, firesAt }) => [
      `  ${time.text(start)}`,
      `to ${time.text(end)}`,
      formatCount(rows),
      firesAt === undefined ? 'is out' : `comes at ${time.text(firesAt)}`,
      firesAt === undefined ? '' : time.left(firesAt, watermark),
    ]);
    if (rows.length === 0) continue;
    const title = ['  window', '', 'rows', 'at watermark', 'still to go'].map((text) => dim(text));
    lines.push(...grid([title, ...rows], [{}, {}, right, {}, right], width));
  }
  return lines;
}

async function timeTexts(): Promise<{
  readonly beginning: bigint;
  text(time: string): string;
  left(until: string, from: string): string;
  elapsed(ms: number): string;
}> {
  const { BEGINNING_OF_TIME, END_OF_TIME, formatTime } = await import('../engine/contract/time.ts');
  const { formatElapsed } = await import('./terminal/numbers.ts');
  return {
    beginning: BEGINNING_OF_TIME,
    text: (time) => {
      const nanoseconds = BigInt(time);
      if (nanoseconds === BEGINNING_OF_TIME) return 'before any row';
      if (nanoseconds === END_OF_TIME) return 'the end of time';
      return formatTime(nanoseconds).replace('T', ' ').replace('Z', '');
    },
    left: (until, from) => {
      const missing = BigInt(until) - BigInt(from);
      if (BigInt(from) === BEGINNING_OF_TIME) return '';
      return missing <= 0n ? 'now' : formatElapsed(Number(missing / 1_000_000n));
    },
    elapsed: (ms) => formatElapsed(Math.max(0, ms)),
  };
}
