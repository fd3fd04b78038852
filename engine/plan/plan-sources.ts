/** Sources: options, the common ones of every source, and the schema of the rows. */

import { durationNs } from '../contract/time.ts';
import { checkFields } from './check-fields.ts';
import { SOURCE_FIELDS } from './pipeline-fields.ts';
import type { SourcePlan } from './pipeline-plan.ts';
import { opened } from './doubts.ts';
import { checkEntry, guarded, reportAt } from './plan-step.ts';
import type { Planning, SourceNode } from './planning.ts';

const COMMON = Object.keys(SOURCE_FIELDS);
/** Stands for the key where it is not known: problems that name it mean nothing. */
const NO_KEY = '\u0000';
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

interface CommonOptions {
  readonly watermark: { readonly max_out_of_orderness: string; readonly idle_timeout: string };
  readonly batch_rows: number;
}

/** @param key The key column, or undefined where it has a problem of its own. */
export function planSources(planning: Planning, key: string | undefined): void {
  for (const entry of planning.entries('sources', planning.catalog.sources)) {
    const { name, path, definition } = entry;
    const node: SourceNode = { name };
    planning.sources.push(node);
    const checked = checkEntry(planning, entry, ['type', ...COMMON]);
    const given = Object.entries(entry.values ?? {}).filter(([option]) => COMMON.includes(option));
    const common = checkFields(
      { subject: `source ${name}`, fields: SOURCE_FIELDS, values: Object.fromEntries(given) },
      reportAt(path, planning.report),
    ) as CommonOptions | undefined;
    if (definition === undefined || checked === undefined) continue;
    const { config } = checked;
    const { result, isSound, doubts } = guarded(planning, entry, checked, undefined, (report) =>
      definition.plan(config, key ?? NO_KEY, (problem) => {
        if (key !== undefined || !problem.message.includes(NO_KEY)) report(problem);
      }),
    );
    if (result === undefined) continue;
    node.schema = doubts.isOpaque ? opened(result) : result;
    if (isSound && common !== undefined && key !== undefined) {
      node.plan = { name, type: definition.name, config, schema: result, ...commonPlan(common) };
    } else if (key !== undefined) {
      node.doubts = doubts.settled();
    } else {
      // Any of its columns may be the key.
      node.schema = { ...opened(result), key: planning.key };
      node.doubts = new Set([planning.key, ...result.columns.map((column) => column.name)]);
    }
  }
}

function commonPlan({
  watermark,
  batch_rows,
}: CommonOptions): Pick<SourcePlan, 'watermark' | 'batchRows'> {
  const idleTimeoutNs = durationNs(watermark.idle_timeout);
  return {
    watermark: {
      maxOutOfOrdernessNs: durationNs(watermark.max_out_of_orderness),
      idleTimeoutMs: Number(idleTimeoutNs / NANOSECONDS_PER_MILLISECOND),
    },
    batchRows: batch_rows,
  };
}
