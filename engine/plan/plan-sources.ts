/** Sources: options, the common ones of every source, and the schema of the rows. */

import { durationNs } from '../contract/time.ts';
import { checkFields } from './check-fields.ts';
import { SOURCE_FIELDS } from './pipeline-fields.ts';
import type { SourcePlan } from './pipeline-plan.ts';
import { checkEntry, doubtsOf, guarded, reportAt } from './plan-step.ts';
import type { Planning, SourceNode } from './planning.ts';
import { keysWithin } from './repair-fields.ts';

const COMMON = Object.keys(SOURCE_FIELDS);
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
    if (definition === undefined || checked === undefined || key === undefined) continue;
    const { config } = checked;
    const doubts = doubtsOf(checked, undefined);
    const { result, isSound, hasErrors } = guarded(planning, entry, doubts, (report) =>
      definition.plan(config, key, report),
    );
    if (result === undefined) continue;
    node.schema = result;
    if (isSound && common !== undefined) {
      node.plan = { name, type: definition.name, config, schema: result, ...commonPlan(common) };
    } else {
      node.doubts = keysWithin(hasErrors ? entry.values : undefined);
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
