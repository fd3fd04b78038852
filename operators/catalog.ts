import type { OperatorDefinition } from '../engine/contract/operator.ts';
import { alerts } from './alerts/alerts.ts';
import { badPrintDetector } from './bad-print-detector/bad-print-detector.ts';
import { bollingerDetector } from './bollinger-detector/bollinger-detector.ts';
import { breakoutDetector } from './breakout-detector/breakout-detector.ts';
import { changePointDetector } from './change-point-detector/change-point-detector.ts';
import { classifyBars } from './classify-bars/classify-bars.ts';
import { composite } from './composite/composite.ts';
import { crossedQuotesDetector } from './crossed-quotes-detector/crossed-quotes-detector.ts';
import { dedupe } from './dedupe/dedupe.ts';
import { derive } from './derive/derive.ts';
import { ewmZscoreDetector } from './ewm-zscore-detector/ewm-zscore-detector.ts';
import { extremeMovementDetector } from './extreme-movement-detector/extreme-movement-detector.ts';
import { filter } from './filter/filter.ts';
import { highLowRatioDetector } from './high-low-ratio-detector/high-low-ratio-detector.ts';
import { hoppingWindow } from './hopping-window/hopping-window.ts';
import { iqrDetector } from './iqr-detector/iqr-detector.ts';
import { isolationForest } from './isolation-forest/isolation-forest.ts';
import { limitsDetector } from './limits-detector/limits-detector.ts';
import { movingAverageDetector } from './moving-average-detector/moving-average-detector.ts';
import { priceGapDetector } from './price-gap-detector/price-gap-detector.ts';
import { priceVolatilityDetector } from './price-volatility-detector/price-volatility-detector.ts';
import { robustZscoreDetector } from './robust-zscore-detector/robust-zscore-detector.ts';
import { rolling } from './rolling/rolling.ts';
import { rsiDetector } from './rsi-detector/rsi-detector.ts';
import { seasonalDetector } from './seasonal-detector/seasonal-detector.ts';
import { sequenceDetector } from './sequence-detector/sequence-detector.ts';
import { sessionWindow } from './session-window/session-window.ts';
import { staleFeedDetector } from './stale-feed-detector/stale-feed-detector.ts';
import { stuckPriceDetector } from './stuck-price-detector/stuck-price-detector.ts';
import { threshold } from './threshold/threshold.ts';
import { tradingSession } from './trading-session/trading-session.ts';
import { tumblingWindow } from './tumbling-window/tumbling-window.ts';
import { venueDivergenceDetector } from './venue-divergence-detector/venue-divergence-detector.ts';
import { volumeDetector } from './volume-detector/volume-detector.ts';
import { volumeDivergenceDetector } from './volume-divergence-detector/volume-divergence-detector.ts';
import { volumeMultipleDetector } from './volume-multiple-detector/volume-multiple-detector.ts';
import { zscoreDetector } from './zscore-detector/zscore-detector.ts';

/** Every operator that ships with the engine, in alphabetical order. */
export const operators: readonly OperatorDefinition[] = [
  alerts,
  badPrintDetector,
  bollingerDetector,
  breakoutDetector,
  changePointDetector,
  classifyBars,
  composite,
  crossedQuotesDetector,
  dedupe,
  derive,
  ewmZscoreDetector,
  extremeMovementDetector,
  filter,
  highLowRatioDetector,
  hoppingWindow,
  iqrDetector,
  isolationForest,
  limitsDetector,
  movingAverageDetector,
  priceGapDetector,
  priceVolatilityDetector,
  robustZscoreDetector,
  rolling,
  rsiDetector,
  seasonalDetector,
  sequenceDetector,
  sessionWindow,
  staleFeedDetector,
  stuckPriceDetector,
  threshold,
  tradingSession,
  tumblingWindow,
  venueDivergenceDetector,
  volumeDetector,
  volumeDivergenceDetector,
  volumeMultipleDetector,
  zscoreDetector,
];
