import { participationBars } from '../market/liquidity.ts'
import { medianSpread, spreadsMax } from '../market/quote-spreads.ts'
import {
  advanceVolatility,
  estimateVolatility,
  noVolatility,
  type VolatilityState,
} from '../market/volatility.ts'
import type { Price } from '../order/amount.ts'

/** What the checks want to know of a symbol, over bars that traded. */
export function marketFigures() {
  const volumes = new Float64Array(participationBars)
  const spreads = new Float64Array(spreadsMax)
  let bars = 0
  let books = 0
  let daily: VolatilityState = noVolatility
  let dailyPercent: number | undefined
  return {
    add(volume: number, spread: number): void {
      volumes[bars % participationBars] = volume
      bars += 1
      // NaN: no book.
      if (!(spread >= 0)) return
      spreads[books % spreadsMax] = spread
      books += 1
    },
    /** A day's close, of which volatility is made where no VIX is known. */
    addDay(close: number): void {
      daily = advanceVolatility(daily, close)
      dailyPercent = estimateVolatility(daily).percent
    },
    meanVolume(): number | undefined {
      const known = volumes.subarray(0, Math.min(bars, participationBars))
      return known.length === 0
        ? undefined
        : known.reduce((sum, volume) => sum + volume, 0) / known.length
    },
    medianSpread(): Price | undefined {
      const median = medianSpread(spreads.subarray(0, Math.min(books, spreadsMax)))
      return median === undefined ? undefined : BigInt(median)
    },
    dailyVolatility: (): number | undefined => dailyPercent,
  }
}

export type MarketFigures = ReturnType<typeof marketFigures>
