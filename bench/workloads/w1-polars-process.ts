/**
 * W1 in nodejs-polars, as a process of its own, because it takes the number of its threads from
 * POLARS_MAX_THREADS when it is loaded:
 *
 *     node w1-polars-process.js INPUT OUTPUT
 *
 * Reads the trades into memory, runs once to warm up, prints the seconds of a second run, and
 * writes OUTPUT/scores.parquet and OUTPUT/anomalies.parquet for the comparison.
 */

import pl, { type DataFrame, type Expr } from 'nodejs-polars';

function runW1(trades: DataFrame): { scores: DataFrame; anomalies: DataFrame } {
  const { col } = pl;
  const [price, size] = [col('price'), col('size')];
  const zscore = (column: string): Expr => {
    const previous = col(column).shift(1);
    const mean = previous.rollingMean({ windowSize: 20 }).over('symbol');
    const deviation = previous.rollingStd({ windowSize: 20 }).over('symbol');
    return pl
      .when(deviation.gt(0))
      .then(col(column).sub(mean).div(deviation))
      .otherwise(pl.lit(null));
  };
  const scores = trades
    .lazy()
    .withColumns(col('event_time').date.truncate('1s').alias('window_start'))
    .groupBy(['symbol', 'window_start'])
    .agg(
      price.first().alias('open'),
      price.max().alias('high'),
      price.min().alias('low'),
      price.last().alias('close'),
      size.sum().alias('volume'),
      price.count().alias('trades'),
      price.mul(size).sum().div(size.sum()).alias('vwap'),
      price.std().alias('volatility'),
    )
    .sort(['symbol', 'window_start'])
    .withColumns(col('close').sub(col('open')).div(col('open')).mul(100).alias('return_pct'))
    .withColumns(zscore('return_pct').alias('z_return'), zscore('volume').alias('z_volume'))
    .collectSync();
  const rule = (type: string, value: string, score: string): DataFrame =>
    scores
      .lazy()
      .filter(col(score).abs().gt(3))
      .select(
        col('symbol'),
        col('window_start'),
        pl.lit(type).alias('type'),
        col(value).alias('value'),
        col(score).alias('score'),
      )
      .collectSync();
  const anomalies = pl.concat([
    rule('price_spike', 'return_pct', 'z_return'),
    rule('volume_surge', 'volume', 'z_volume'),
  ]);
  return { scores, anomalies };
}

const [input, output] = process.argv.slice(2) as [string, string];
const trades = pl.readParquet(input);
runW1(trades);
const cpu = process.cpuUsage();
const start = performance.now();
const { scores, anomalies } = runW1(trades);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpu);
scores.writeParquet(`${output}/scores.parquet`);
anomalies.writeParquet(`${output}/anomalies.parquet`);
process.stdout.write(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 }));
