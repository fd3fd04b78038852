/**
 * Planted anomalies at work: what lies over the walk of a symbol at the moment.
 *
 *   price_spike        the price moves away within seconds, comes back in a quarter of an hour
 *   gap                the walk itself jumps from one trade to the next, for good
 *   volatility_burst   every trade is off by noise that swells and fades
 *   stuck_price        every trade has the price of the first
 *   bad_print          one trade is off, and far
 *   volume_surge       trades are more and larger
 *
 * At most one is on at a time for a symbol, but for the way back of a spike, which gives way.
 */

import { MINUTE_NS } from './market-config.ts';
import type { Planting } from './planting.ts';
import { Random } from './random.ts';

/** Too slow to stand out again. */
const SPIKE_RETURN_NS = 15 * MINUTE_NS;
/** A surge is both: more trades by this factor, and larger ones for the rest. */
const SURGE_TRADES = 3;

interface Overlay {
  readonly planting: Planting;
  /** Price of a stuck one; NaN before its first trade. */
  stuckAt: number;
  isPrinted: boolean;
}

export class Overlays {
  /** Whether the last price asked for was a bad print. */
  isBadPrint = false;
  readonly #plantings: readonly Planting[];
  readonly #share: Float64Array;
  readonly #random: Random;
  /** 1 where an overlay is on, u8[symbols]. */
  readonly #on: Uint8Array;
  readonly #overlays = new Map<number, Overlay>();
  #upcoming = 0;
  #surges: Planting[] = [];

  /** @param sorted By start. */
  constructor(sorted: readonly Planting[], share: Float64Array, seed: number) {
    this.#plantings = sorted;
    this.#share = share;
    this.#random = new Random(seed, 4);
    this.#on = new Uint8Array(share.length);
  }

  get hasSurges(): boolean {
    return this.#surges.length > 0;
  }

  isOn(symbol: number): boolean {
    return this.#on[symbol] === 1;
  }

  /** Moves on to a second of the market. A gap moves the walk, and is no return of its minute. */
  advance(timeNs: number, walk: Float64Array, minuteOpen: Float64Array): void {
    for (const [symbol, { planting }] of this.#overlays) {
      const returnNs = planting.type === 'price_spike' ? SPIKE_RETURN_NS : 0;
      if (timeNs < planting.endNs + returnNs) continue;
      this.#overlays.delete(symbol);
      this.#on[symbol] = 0;
      this.#surges = this.#surges.filter((each) => each !== planting);
    }
    for (; this.#upcoming < this.#plantings.length; this.#upcoming++) {
      const planting = this.#plantings[this.#upcoming]!;
      if (planting.startNs > timeNs) return;
      const { symbol, type, size } = planting;
      if (type === 'gap') {
        walk[symbol]! *= 1 + size;
        minuteOpen[symbol]! *= 1 + size;
        continue;
      }
      this.#overlays.set(symbol, { planting, stuckAt: Number.NaN, isPrinted: false });
      this.#on[symbol] = 1;
      if (type === 'volume_surge') this.#surges.push(planting);
    }
  }

  /** A surging symbol in the place of another, as often as it takes. */
  surgeOr(symbol: number, u32: number): number {
    let left = u32 / 0x1_0000_0000;
    for (const surge of this.#surges) {
      left -= this.#share[surge.symbol]! * (SURGE_TRADES - 1);
      if (left < 0) return surge.symbol;
    }
    return symbol;
  }

  price(symbol: number, timeNs: number, price: number): number {
    const overlay = this.#overlays.get(symbol)!;
    const { type, size, startNs, endNs } = overlay.planting;
    this.isBadPrint = false;
    switch (type) {
      case 'price_spike': {
        const part =
          timeNs < endNs
            ? (timeNs - startNs) / (endNs - startNs)
            : 1 - (timeNs - endNs) / SPIKE_RETURN_NS;
        return price * (1 + size * part);
      }
      case 'volatility_burst': {
        // A parabola: 0 at both ends, 1 in the middle.
        const part = (timeNs - startNs) / (endNs - startNs);
        return price * (1 + size * 4 * part * (1 - part) * this.#random.normal());
      }
      case 'stuck_price':
        if (Number.isNaN(overlay.stuckAt)) overlay.stuckAt = price;
        return overlay.stuckAt;
      case 'bad_print':
        if (overlay.isPrinted) return price;
        overlay.isPrinted = true;
        this.isBadPrint = true;
        return price * (1 + size);
      default:
        return price;
    }
  }

  /** By how much trades of the symbol are larger. */
  lots(symbol: number): number {
    const { type, size } = this.#overlays.get(symbol)!.planting;
    return type === 'volume_surge' ? size / SURGE_TRADES : 1;
  }
}
