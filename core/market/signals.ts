import { meanOf, momentsOf, type Series, seriesOf } from './rolling-window.ts'

export const strategies = ['momentum', 'mean_reversion', 'pairs'] as const
export type Strategy = (typeof strategies)[number]

export type Signal<Figures> = {
  readonly signal: 'buy' | 'sell' | 'hold'
  /** What the signal was decided by; null when it could not be computed. */
  readonly value: number | null
  /** What the value was computed from; null as above. */
  readonly figures: Figures | null
  /** Why there is no value. */
  readonly reasons: readonly string[]
}

/** One for all: a replay computes millions of signals. */
const noReasons: readonly string[] = []

function noSignal<Figures>(reason: string): Signal<Figures> {
  return { signal: 'hold', value: null, figures: null, reasons: [reason] }
}

/** Relative: nothing below this is told from the rounding of doubles. */
const noiseMax = 1e-12

/** Far below is a reason to buy, far above to sell; at the entry too. */
function against(score: number, entry: number): 'buy' | 'sell' | 'hold' {
  if (score <= -entry) return 'buy'
  return score >= entry ? 'sell' : 'hold'
}

export type MomentumRules = {
  readonly lookback: number
  readonly skip: number
  readonly threshold: number
}
/** Twelve months without the last one, in trading days: that one tends to reverse. */
export const momentumRules: MomentumRules = { lookback: 252, skip: 21, threshold: 0 }
export type MomentumFigures = { readonly from: number; readonly to: number }

/**
 * `close[t − skip] / close[t − lookback] − 1`: buy above the threshold, sell below its negative
 * (Jegadeesh and Titman 1993, for one symbol as in Moskowitz, Ooi and Pedersen 2012).
 */
export function momentum(
  closes: Series,
  { lookback, skip, threshold }: MomentumRules = momentumRules,
): Signal<MomentumFigures> {
  const needed = lookback + 1
  if (closes.size < needed) return noSignal(`closes=${closes.size} needed=${needed}`)
  const from = closes.ago(lookback)
  const to = closes.ago(skip)
  if (!(from > 0 && to > 0)) return noSignal('a close is not positive')
  const value = to / from - 1
  const signal = value > threshold ? 'buy' : value < -threshold ? 'sell' : 'hold'
  return { signal, value, figures: { from, to }, reasons: noReasons }
}

export type ScoreRules = { readonly count: number; readonly entry: number }
export const meanReversionRules: ScoreRules = { count: 20, entry: 2 }
export type MeanReversionFigures = { readonly mean: number; readonly deviation: number }

/**
 * `(close − mean) / deviation` of the last `count` closes, the newest among them, deviation with
 * ddof 1 (Bollinger's 20 days and 2 deviations): buy at −entry or below, sell at entry or above.
 */
export function meanReversion(
  closes: Series,
  { count, entry }: ScoreRules = meanReversionRules,
): Signal<MeanReversionFigures> {
  const moments = momentsOf(closes, count)
  if (moments === undefined) return noSignal(`closes=${closes.size} needed=${Math.max(2, count)}`)
  const { mean, deviation } = moments
  // What is left of equal closes is the rounding of their mean.
  if (!(deviation > Math.abs(mean) * noiseMax)) return noSignal('the closes do not vary')
  const value = (closes.ago(0) - mean) / deviation
  return { signal: against(value, entry), value, figures: moments, reasons: noReasons }
}

export const pairsRules: ScoreRules = { count: 60, entry: 2 }
export type PairsFigures = {
  /** Units of log price of the other symbol that hedge one of this. */
  readonly hedgeRatio: number
  readonly intercept: number
  /** The newest residual and the deviation of all. */
  readonly spread: number
  readonly deviation: number
}

/**
 * The two series hold closes of the same times. Least squares over the last `count`:
 * `ln own = intercept + hedgeRatio × ln other`; value is the newest residual over the residuals'
 * deviation, ddof 2 for the two fitted figures (after Gatev, Goetzmann and Rouwenhorst 2006, entry
 * at two deviations). Buy: own is cheap against the other.
 */
export function pairs(
  own: Series,
  other: Series,
  { count, entry }: ScoreRules = pairsRules,
): Signal<PairsFigures> {
  const needed = Math.max(3, count)
  const size = Math.min(own.size, other.size)
  if (size < needed) return noSignal(`closes=${size} needed=${needed}`)
  const fit = fitLine(logOf(other, needed), logOf(own, needed), needed)
  if (fit === undefined) return noSignal('a close is not positive, or the other closes do not vary')
  const { slope: hedgeRatio, intercept, residual, squares } = fit
  const deviation = Math.sqrt(squares / (needed - 2))
  // Below the rounding of logarithms a residual says nothing.
  if (!(deviation > noiseMax)) return noSignal('the spread does not vary')
  const value = residual / deviation
  const figures = { hedgeRatio, intercept, spread: residual, deviation }
  return { signal: against(value, entry), value, figures, reasons: noReasons }
}

/** Of the newest `count` values. */
function logOf({ values, end }: Series, count: number): Series {
  return seriesOf(values.subarray(end - count, end).map(Math.log))
}

type Fit = {
  readonly slope: number
  readonly intercept: number
  /** Of the newest pair. */
  readonly residual: number
  readonly squares: number
}

function fitLine(x: Series, y: Series, count: number): Fit | undefined {
  const meanX = meanOf(x, count) ?? Number.NaN
  const meanY = meanOf(y, count) ?? Number.NaN
  let varianceX = 0
  let covariance = 0
  for (let steps = 0; steps < count; steps += 1) {
    const distance = x.ago(steps) - meanX
    varianceX += distance * distance
    covariance += distance * (y.ago(steps) - meanY)
  }
  // NaN, from a logarithm of what is not positive, fails here too.
  if (!(varianceX / count > noiseMax * noiseMax && Number.isFinite(covariance))) return undefined
  const slope = covariance / varianceX
  const residualAt = (steps: number) => y.ago(steps) - meanY - slope * (x.ago(steps) - meanX)
  let squares = 0
  for (let steps = 0; steps < count; steps += 1) squares += residualAt(steps) ** 2
  return { slope, intercept: meanY - slope * meanX, residual: residualAt(0), squares }
}
