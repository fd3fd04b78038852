/** The pipelines of the trial: the market, the engine that reads it, and what it must equal. */

export interface Market {
  readonly seconds: number;
  readonly trades: number;
  readonly seed: number;
  readonly url: string;
}

/**
 * Out of order by less than the watermark allows, and nothing late: what is late depends on how
 * event times of different symbols run, which are apart in a partitioned stream and together in one
 * read as a whole. An hour without rows makes nothing idle.
 */
const WATERMARK = '{ max_out_of_orderness: 2s, idle_timeout: 1h }';

function generator({ seconds, trades, seed }: Market): string {
  return `    type: generator
    seed: ${seed}
    symbols: 40
    duration: ${seconds}s
    trades: ${trades}
    out_of_order: 0.05
    max_delay: 1s
    late: 0
    watermark: ${WATERMARK}
`;
}

const OPERATORS = `key: symbol
partitions: 8
operators:
  bars:
    type: tumbling_window
    input: trades
    size: 1s
    aggregates:
      open: first(price)
      high: max(price)
      low: min(price)
      close: last(price)
      volume: sum(size)
      trades: count()
      volatility: stddev(price)
  scores:
    type: rolling
    input: bars
    over: 5 rows
    exclude_current: true
    columns: { z_close: zscore(close), z_volume: zscore(volume) }
  anomalies:
    type: threshold
    input: scores
    rules:
      - { type: price_spike, when: abs(z_close) > 4, value: close, score: z_close }
      - { type: volume_surge, when: z_volume > 4, value: volume, score: z_volume }
`;

/** What the publisher replays. */
export function marketPipeline(market: Market): string {
  return `name: market
sources:
  trades:
${generator(market)}sinks:
  none: { type: blackhole, input: trades }
`;
}

/** One undisturbed run over the same rows. */
export function batchPipeline(market: Market): string {
  return `name: soak
sources:
  trades:
${generator(market)}${OPERATORS}sinks:
  bars: { type: parquet, input: scores, path: batch/bars }
  anomalies: { type: parquet, input: anomalies, path: batch/anomalies }
`;
}

export function livePipeline({ url }: Market): string {
  return `name: soak
sources:
  trades:
    type: nats
    servers: ${url}
    stream: TRADES
    format: arrow
    columns: { symbol: symbol, event_time: event_time, price: price, size: size }
    connect_timeout: 60s
    watermark: ${WATERMARK}
${OPERATORS}sinks:
  bars: { type: parquet, input: scores, path: live/bars, roll: { rows: 20000, age: 10s } }
  anomalies: { type: parquet, input: anomalies, path: live/anomalies }
  alerts:
    type: nats
    input: anomalies
    servers: ${url}
    stream: ANOMALIES
    subject: anomalies.{symbol}
    create: true
checkpoint: { interval: 1s, directory: state, keep: 3 }
`;
}

/** Reads back what was published. */
export function alertsPipeline({ url }: Market): string {
  return `name: alerts
sources:
  alerts:
    type: nats
    servers: ${url}
    stream: ANOMALIES
    format: json
    columns:
      symbol: symbol
      event_time: event_time
      anomaly_id: { from: anomaly_id, type: string }
      score: score
    until: last
sinks:
  alerts: { type: parquet, input: alerts, path: alerts }
`;
}
