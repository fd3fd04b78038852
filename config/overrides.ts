/**
 * `-s sources.trades.path=data/*.csv`: sets one value of the document, making the mappings on the
 * way. The value is a YAML scalar or flow collection; a segment counts the entries of a list.
 */

import { SourceText } from './source-text.ts';
import { type Mistake, type Place, readYaml, setOwn, type YamlDocument } from './yaml-document.ts';

const FLAG = '-s ';

interface Override {
  readonly source: SourceText;
  readonly segments: readonly string[];
  readonly value: unknown;
  readonly place: Place;
}

export interface Overridden {
  readonly value: unknown;
  readonly place: Place;
  readonly mistakes: readonly Mistake[];
  /** Paths whose values the options replace. */
  readonly paths: readonly (readonly string[])[];
}

/** Applies the options in their order to a copy of the document. */
export function applyOverrides(
  document: Pick<YamlDocument, 'value' | 'place'>,
  options: readonly string[],
): Overridden {
  const mistakes: Mistake[] = [];
  const paths: (readonly string[])[] = [];
  let { value, place } = document;
  if (options.length > 0) value = structuredClone(value);
  for (const option of options) {
    const override = parseOverride(option, mistakes);
    if (override === undefined) continue;
    if (value === null || value === undefined) {
      value = {};
      place = { ...place, children: new Map() };
    }
    const message = apply(override, value, place);
    if (message === undefined) paths.push(override.segments);
    else mistakes.push(mistake(override.source, message));
  }
  return { value, place, mistakes, paths };
}

function mistake(source: SourceText, problem: { readonly message: string }): Mistake {
  const equals = source.text.indexOf('=');
  const end = equals < 0 ? source.text.length : equals;
  return { source, range: { start: FLAG.length, end }, code: 'config/override', ...problem };
}

function parseOverride(option: string, mistakes: Mistake[]): Override | undefined {
  const source = new SourceText(FLAG + option, FLAG + option, 'option');
  const equals = option.indexOf('=');
  if (equals <= 0) {
    const message = `expected key.path=value, got ${JSON.stringify(option)}`;
    mistakes.push(mistake(source, { message }));
    return undefined;
  }
  const segments = option.slice(0, equals).trim().split('.');
  if (segments.includes('')) {
    const message = `expected names between the dots, got ${option.slice(0, equals)}`;
    mistakes.push(mistake(source, { message }));
    return undefined;
  }
  const given = option.slice(equals + 1);
  const valueStart = FLAG.length + equals + 1;
  // Blanks in front keep the offsets of the value those of the whole option.
  const padded = new SourceText(source.name, ' '.repeat(valueStart) + given, 'option');
  const { value, place, mistakes: found } = readYaml(padded);
  const isCollection = /^\s*[[{"']/.test(given);
  if (isCollection) {
    if (found.length > 0) {
      mistakes.push(...found.map((each) => ({ ...each, source })));
      return undefined;
    }
    return { source, segments, value, place: rebased(place, source) };
  }
  const range = { start: valueStart, end: source.text.length };
  // A text is taken as it stands: `*.csv` is no alias here, and ` #` no comment.
  const isText = found.length > 0 || (value !== null && /^(?:string|object)$/.test(typeof value));
  return {
    source,
    segments,
    value: isText ? given.trim() : value,
    place: { source, value: range, children: new Map(), offsetOf: (at) => valueStart + at },
  };
}

function rebased(place: Place, source: SourceText): Place {
  const children = new Map([...place.children].map(([key, at]) => [key, rebased(at, source)]));
  return { ...place, source, children };
}

/** What is wrong with the path, or undefined. */
function apply(
  { source, segments, value, place }: Override,
  root: unknown,
  rootPlace: Place,
): { readonly message: string } | undefined {
  let parent = root;
  let parentPlace = rootPlace;
  let start = FLAG.length;
  for (const [depth, segment] of segments.entries()) {
    const key = keyIn(parent, segment, segments.slice(0, depth));
    if (typeof key === 'object') return key;
    const range = { start, end: start + segment.length };
    start = range.end + 1;
    if (depth === segments.length - 1) {
      set(parent, key, value);
      parentPlace.children.set(key, { ...place, key: range });
      return undefined;
    }
    const known = (parent as Record<string | number, unknown>)[key];
    const isMade = !Object.hasOwn(parent as object, key) || known === null;
    if (isMade) set(parent, key, {});
    let next = parentPlace.children.get(key);
    if (isMade || next === undefined) {
      next = { source, value: range, key: range, children: new Map() };
      parentPlace.children.set(key, next);
    }
    parent = (parent as Record<string | number, unknown>)[key];
    parentPlace = next;
  }
  return undefined;
}

/** The key of the segment in what it leads into, or what is wrong. */
function keyIn(
  parent: unknown,
  segment: string,
  before: readonly string[],
): string | number | { readonly message: string } {
  const where = before.length === 0 ? 'the document' : before.join('.');
  if (Array.isArray(parent)) {
    const index = /^\d{1,6}$/.test(segment) ? Number(segment) : -1;
    if (index >= 0 && index <= parent.length) return index;
    const last = parent.length;
    return { message: `${where} is a list: expected a number from 0 to ${last}, got ${segment}` };
  }
  if (typeof parent === 'object' && parent !== null) return segment;
  return { message: `${where} is one value and has no option ${segment}` };
}

function set(parent: unknown, key: string | number, value: unknown): void {
  if (typeof key === 'number') (parent as unknown[])[key] = value;
  else setOwn(parent as Record<string, unknown>, key, value);
}
