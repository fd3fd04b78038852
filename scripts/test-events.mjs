/** A reporter for Node's test runner: a line of JSON for each finished test, for test.mjs. */
import { inspect } from 'node:util';

export default async function* events(source) {
  const path = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      path.length = data.nesting;
      path[data.nesting] = data.name;
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const error = data.details?.error;
    // A suite or parent that fails only because something in it failed is not one more failure.
    if (type === 'test:fail' && error?.failureType === 'subtestsFailed') continue;
    const isSuite = data.details?.type === 'suite';
    const isSkipped = data.skip !== undefined && data.skip !== false;
    if (isSuite && type === 'test:pass' && !isSkipped) continue;
    const cause = error?.cause ?? error;
    yield `${JSON.stringify({
      title: [...path.slice(0, data.nesting), data.name].join(' › '),
      outcome: isSkipped ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed',
      reason: typeof data.skip === 'string' ? data.skip : undefined,
      failure:
        cause === undefined || typeof cause === 'string' ? cause : inspect(cause, { depth: 8 }),
    })}\n`;
  }
}
