/** `tidemark list`: what a pipeline file can name. */

import type { Command } from 'commander';
import { action, print, toJson, withExamples, withJson } from './command.ts';
import { ExitCode } from './exit-code.ts';
import { paletteFor, terminalWidth } from './terminal/palette.ts';

const KINDS = ['sources', 'operators', 'sinks', 'checks', 'functions'] as const;

type Kind = (typeof KINDS)[number];

interface Item {
  readonly name: string;
  readonly stability?: string;
  /** How a function is called. */
  readonly usage?: string;
  /** Where a function can be used. */
  readonly where?: string;
  readonly summary: string;
}

export function register(program: Command): void {
  const command = withJson(
    program
      .command('list')
      .summary('list sources, operators, sinks, checks and functions')
      .description('Lists what a pipeline file can name.')
      .argument('[kind]', `one of ${KINDS.join(', ')}; by default all of them`),
  );
  withExamples(command, [
    ['tidemark list', 'everything'],
    ['tidemark list operators', 'one kind'],
    ['tidemark list sinks --json', 'for programs'],
  ]).action(
    action(async (given: string | undefined, flags: { readonly json?: boolean }) => {
      const kinds = given === undefined ? KINDS : KINDS.filter((kind) => kind === given);
      if (kinds.length === 0) {
        const { didYouMean } = await import('../engine/contract/problem.ts');
        const help = didYouMean(given!, KINDS) ?? `the kinds are ${KINDS.join(', ')}`;
        command.error(`error: there is nothing of kind '${given}' (${help})`);
      }
      const found = await Promise.all(
        kinds.map(async (kind) => [kind, await items(kind)] as const),
      );
      if (flags.json === true) print(toJson(Object.fromEntries(found)));
      else print(...(await render(found)));
      return ExitCode.done;
    }),
  );
}

async function items(kind: Kind): Promise<readonly Item[]> {
  if (kind === 'checks') {
    const { CHECK_KINDS } = await import('../engine/plan/pipeline-fields.ts');
    const { fieldDoc } = await import('../engine/contract/operator.ts');
    return Object.entries(CHECK_KINDS).map(([name, field]) => ({
      name,
      summary: fieldDoc(field) ?? '',
    }));
  }
  if (kind === 'functions') return functionItems();
  const { catalog } = await import('../catalog.ts');
  return catalog[kind].map(({ name, stability, summary }) => ({ name, stability, summary }));
}

/** A function of several places that means the same in all of them is one item. */
async function functionItems(): Promise<readonly Item[]> {
  const [{ FUNCTIONS }, { AGGREGATES }, { ROLLING_FUNCTIONS }] = await Promise.all([
    import('../engine/expression/functions.ts'),
    import('../operators/aggregates/aggregate-functions.ts'),
    import('../operators/rolling/rolling-functions.ts'),
  ]);
  const aggregates = Object.entries(AGGREGATES);
  const rolling = Object.entries(ROLLING_FUNCTIONS);
  const item = (where: string, [name, { usage, doc }]: NamedFunction): Item => {
    return { name, usage, where, summary: doc };
  };
  return [
    ...[...FUNCTIONS].map((each) => item('everywhere', each)),
    ...aggregates.map((each) =>
      item(Object.hasOwn(ROLLING_FUNCTIONS, each[0]) ? 'windows, rolling' : 'windows', each),
    ),
    ...rolling
      .filter(([name]) => !Object.hasOwn(AGGREGATES, name))
      .map((each) => item('rolling', each)),
  ];
}

type NamedFunction = readonly [name: string, { readonly usage: string; readonly doc: string }];

async function render(
  found: readonly (readonly [Kind, readonly Item[]])[],
): Promise<readonly string[]> {
  const { grid } = await import('./terminal/grid.ts');
  const { bold, cyan, dim } = paletteFor(process.stdout);
  const width = terminalWidth(process.stdout);
  return found.flatMap(([kind, list], index) => {
    const rows = list.map(({ name, usage, stability, where, summary }) => [
      `  ${usage ?? name}`,
      stability ?? where ?? '',
      summary,
    ]);
    const lines = grid(rows, [{ paint: cyan }, { paint: dim }, { cut: 'end' }], width);
    return [...(index > 0 ? [''] : []), bold(kind), ...lines];
  });
}
