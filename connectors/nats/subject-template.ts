/** `anomalies.{symbol}`: a subject with columns in it. */

const COLUMN = /\{([A-Za-z_]\w*)\}/g;

export function subjectColumns(template: string): readonly string[] {
  return [...template.matchAll(COLUMN)].map(([, name]) => name!);
}

/** The subjects that a template can give, as a filter. */
export function subjectFilter(template: string): string {
  return template
    .split('.')
    .map((token) => (token.includes('{') ? '*' : token))
    .join('.');
}

/** The subject of a row. */
export function fillSubject(template: string, valueOf: (column: string) => string): string {
  return template.replace(COLUMN, (_whole, name: string) => tokenFor(valueOf(name)));
}

/** A text as a token of a subject: without what subjects give a meaning. */
export function tokenFor(text: string): string {
  const token = text.replace(/[\s.*>\p{Cc}]/gu, '_');
  return token === '' ? '_' : token;
}
