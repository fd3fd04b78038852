/** Pipelines in the yaml fences of a Markdown page, with the lines that they have in the page. */

import { SourceText } from './source-text.ts';

const FENCE = /^[ \t]*```[ \t]*(\S*)/;

/**
 * Each text has as many lines as the page, empty but for one fence, so that places in it are
 * places in the page. A fence is a pipeline if it is yaml and has `sources:`.
 */
export function pipelinesInMarkdown(page: SourceText): readonly SourceText[] {
  const lines = page.text.split('\n');
  const found: SourceText[] = [];
  let open: { readonly language: string; readonly first: number } | undefined;
  for (const [index, line] of lines.entries()) {
    const fence = FENCE.exec(line);
    if (fence === null) continue;
    if (open === undefined) {
      open = { language: fence[1]!, first: index + 1 };
      continue;
    }
    const body = lines.slice(open.first, index);
    if (/^ya?ml$/.test(open.language) && body.some((text) => /^\s*sources:/.test(text))) {
      found.push(new SourceText(page.name, '\n'.repeat(open.first) + body.join('\n')));
    }
    open = undefined;
  }
  return found;
}
