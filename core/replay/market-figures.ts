import { participationBars } from '../market/liquidity.ts'
import {
  advanceVolatility,
  estimateVolatility,
  noVolatility,
  type VolatilityState,
} from '../market/volatility.ts'

/** Spreads of so many bars give the median. */
const spreadBars = 100

/** What the checks want to know of a symbol, over bars that traded. */
export function marketFigures() {
  const volumes = new Float64Array(participationBars)
  const spreads = new Float64Array(spreadBars)
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
      spreads[books % spreadBars] = spread
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
    /** By the rule of `medianSpread`, without a bigint for each: of two in the middle the lower. */
    medianSpread(): bigint | undefined {
      const sorted = spreads.slice(0, Math.min(books, spreadBars)).sort()
      const middle = sorted[Math.floor((sorted.length - 1) / 2)]
      return middle === undefined ? undefined : BigInt(middle)
    },
    dailyVolatility: (): number | undefined => dailyPercent,
  }
}

export type MarketFigures = ReturnType<typeof marketFigures>
