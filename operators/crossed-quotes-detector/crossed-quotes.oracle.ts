/**
 * Crossed and locked quotes, by the definition: at every half second the quotes of all venues that
 * are not too old are looked at afresh. Rows come at whole seconds, and a quote is too old just
 * after one, so that the half seconds see everything.
 */

export interface Quote {
  /** Seconds; several may be the same, and one may lie behind others. */
  readonly time: number;
  readonly venue: string;
  readonly bid: number | null;
  readonly ask: number | null;
}

interface FoundState {
  /** Number of the quote that reports it. */
  readonly row: number;
  readonly type: string;
  readonly seconds: number;
}

interface OracleConfig {
  /** Seconds. */
  readonly maxAge: number;
  readonly lasting: number;
  readonly locked: boolean;
}

/** Of the quotes of one symbol, in order of arrival. */
export function crossedQuotesOracle(
  quotes: readonly Quote[],
  { maxAge, lasting, locked }: OracleConfig,
): FoundState[] {
  const latest = new Map<string, Quote>();
  const found: FoundState[] = [];
  let state = { name: 'apart', since: 0, isReported: false };

  const nameAt = (moment: number): string => {
    const fresh = [...latest.values()].filter(({ time }) => time + maxAge >= moment);
    const bids = fresh.flatMap(({ bid }) => (bid !== null && bid > 0 ? [bid] : []));
    const asks = fresh.flatMap(({ ask }) => (ask !== null && ask > 0 ? [ask] : []));
    const [bid, ask] = [Math.max(...bids), Math.min(...asks)];
    if (bids.length === 0 || asks.length === 0 || bid < ask) return 'apart';
    return bid > ask ? 'crossed_quotes' : 'locked_quotes';
  };
  const report = (row: number, until: number): void => {
    const { name, since, isReported } = state;
    const counts = name === 'crossed_quotes' || (name === 'locked_quotes' && locked);
    if (!counts || isReported || until - since < lasting) return;
    state.isReported = true;
    found.push({ row, type: name, seconds: until - since });
  };
  const enter = (row: number, name: string, moment: number): void => {
    if (name === state.name) return;
    report(row, moment);
    state = { name, since: moment, isReported: false };
  };

  let now = quotes[0]?.time ?? 0;
  for (const [row, quote] of quotes.entries()) {
    const own = latest.get(quote.venue);
    if (own !== undefined && quote.time < own.time) continue;
    const next = Math.max(now, quote.time);
    for (let moment = now; moment < next; moment++) enter(row, nameAt(moment + 0.5), moment);
    now = next;
    latest.set(quote.venue, quote);
    enter(row, nameAt(now), now);
    report(row, now);
  }
  return found;
}
