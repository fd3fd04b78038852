/**
 * The shape of a session: how trades and volatility are spread over its seconds.
 *
 * Both are high at the open and the close and low at noon. Beyond that, activity wanders from
 * minute to minute, so that no two minutes are alike and busy ones come in runs.
 */

import { Random } from './random.ts';

/** Activity at noon and what the open and the close have above it. */
const ACTIVITY_FLOOR = 0.65;
const ACTIVITY_RISE = 1.6;
const VOLATILITY_FLOOR = 0.75;
const VOLATILITY_RISE = 0.9;
/** How much of a minute's activity the next one keeps, and how much is new. */
const ACTIVITY_MEMORY = 0.7;
const ACTIVITY_NOISE = 0.12;

export interface SessionShape {
  /** Trades of each second, u32[seconds]; they add up to the trades of the session. */
  readonly tradesOfSecond: Uint32Array;
  /** Volatility of each minute, relative to the symbol's usual one. */
  readonly volatilityOfMinute: Float64Array;
}

export function sessionShape(
  seed: number,
  session: number,
  seconds: number,
  tradeCount: number,
): SessionShape {
  const random = new Random(seed, 1000 + session);
  const minutes = Math.ceil(seconds / 60);
  const volatilityOfMinute = new Float64Array(minutes);
  const upTo = new Float64Array(seconds + 1);
  let wander = 0;
  for (let minute = 0; minute < minutes; minute++) {
    wander = ACTIVITY_MEMORY * wander + ACTIVITY_NOISE * random.normal();
    const noise = Math.min(2, Math.max(0.5, 1 + wander));
    volatilityOfMinute[minute] = VOLATILITY_FLOOR + VOLATILITY_RISE * ends(minute / minutes);
    for (let second = minute * 60; second < Math.min(seconds, minute * 60 + 60); second++) {
      const activity = ACTIVITY_FLOOR + ACTIVITY_RISE * ends(second / seconds);
      upTo[second + 1] = upTo[second]! + activity * noise;
    }
  }
  const scale = tradeCount / upTo[seconds]!;
  const tradesOfSecond = new Uint32Array(seconds);
  let given = 0;
  for (let second = 0; second < seconds; second++) {
    // Rounding what has been given so far, and not each second, loses none.
    const due = second === seconds - 1 ? tradeCount : Math.floor(upTo[second + 1]! * scale);
    tradesOfSecond[second] = due - given;
    given = due;
  }
  return { tradesOfSecond, volatilityOfMinute };
}

/** 1 at both ends of a session, 0 in its middle; flat between, steep towards the ends. */
function ends(part: number): number {
  const square = (2 * part - 1) ** 2;
  return square * square;
}
