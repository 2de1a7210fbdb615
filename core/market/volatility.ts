import { z } from 'zod'
import type { Nanos } from './bar.ts'
import { momentsOf, seriesOf } from './rolling-window.ts'

const tradingDaysPerYear = 252
const shortDays = 5
const longDays = 20
/** RiskMetrics 1996, for daily returns. */
const decay = 0.94

/** Realised volatility: sample deviation (ddof 1) of the newest `days` returns, annualised, 0.2 is 20 %. */
export function realizedVolatility(returns: readonly number[], days: number): number | undefined {
  const deviation = momentsOf(seriesOf(returns), days)?.deviation
  return deviation === undefined ? undefined : deviation * Math.sqrt(tradingDaysPerYear)
}

/** JSON; what a symbol's next daily close is added to. */
export const volatilityStateSchema = z.strictObject({
  lastClose: z.number().positive().nullable(),
  /** Simple daily returns, at most `longDays`, the newest last. */
  returns: z.array(z.number()).readonly(),
  /** Of daily returns; null before the first. */
  ewmaVariance: z.number().nullable(),
})
export type VolatilityState = Readonly<z.infer<typeof volatilityStateSchema>>

export const noVolatility: VolatilityState = { lastClose: null, returns: [], ewmaVariance: null }

/**
 * Takes one day's close. The first return is the first variance; a close that is not positive is
 * left out.
 */
export function advanceVolatility(state: VolatilityState, close: Nanos): VolatilityState {
  if (!(close > 0 && Number.isFinite(close))) return state
  if (state.lastClose === null) return { ...state, lastClose: close }
  const change = close / state.lastClose - 1
  const square = change * change
  const ewmaVariance =
    state.ewmaVariance === null ? square : decay * state.ewmaVariance + (1 - decay) * square
  return {
    lastClose: close,
    returns: [...state.returns.slice(1 - longDays), change],
    ewmaVariance,
  }
}

export type VolatilityEstimate = {
  /** Annualised, 0.2 is 20 %; undefined while there are too few returns. */
  readonly rv5: number | undefined
  readonly rv20: number | undefined
  readonly ewma: number | undefined
  /** Stands in for VIX, in percent; undefined below five returns. */
  readonly percent: number | undefined
}

/**
 * The larger of RV5 and RV20 falls slowly and rises fast: size is lost at once and regained late.
 * With five to nineteen returns the EWMA takes the place of RV20.
 */
export function estimateVolatility(state: VolatilityState): VolatilityEstimate {
  const rv5 = realizedVolatility(state.returns, shortDays)
  const rv20 = realizedVolatility(state.returns, longDays)
  const ewma =
    state.ewmaVariance === null ? undefined : Math.sqrt(state.ewmaVariance * tradingDaysPerYear)
  const slow = rv20 ?? ewma
  const percent = rv5 === undefined || slow === undefined ? undefined : 100 * Math.max(rv5, slow)
  return { rv5, rv20, ewma, percent }
}
