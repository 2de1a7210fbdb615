import { normalCdf, normalQuantile } from './normal-distribution.ts'
import { deviation } from './series.ts'

const eulerGamma = 0.577_215_664_901_532_9

/** A Sharpe ratio per period (not annualised) and what its returns look like. */
export type SharpeSample = {
  readonly sharpe: number
  /** Number of returns. */
  readonly periods: number
  readonly skewness: number
  /** Plain: 3 = normal. */
  readonly kurtosis: number
}

/** Standard error of the ratio per period for independent returns (Lo 2002). */
export function sharpeError(sample: SharpeSample): number {
  return Math.sqrt((1 + sample.sharpe ** 2 / 2) / sample.periods)
}

function estimationVariance({ sharpe, skewness, kurtosis }: SharpeSample): number {
  return 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe ** 2
}

/** Probability that the true ratio is above `benchmark` (Bailey and López de Prado 2012). */
export function probabilisticSharpe(sample: SharpeSample, benchmark: number): number | undefined {
  const variance = estimationVariance(sample)
  if (sample.periods < 2 || !(variance > 0)) return undefined
  const distance = (sample.sharpe - benchmark) * Math.sqrt(sample.periods - 1)
  return normalCdf(distance / Math.sqrt(variance))
}

/** Periods needed until the ratio is above `benchmark` with the given confidence. */
export function minimumTrackRecord(
  sample: SharpeSample,
  { benchmark, confidence }: { readonly benchmark: number; readonly confidence: number },
): number | undefined {
  const variance = estimationVariance(sample)
  if (sample.sharpe <= benchmark || !(variance > 0)) return undefined
  return 1 + variance * (normalQuantile(confidence) / (sample.sharpe - benchmark)) ** 2
}

/** The best ratio per period that wallets without skill would show by luck (same authors, 2014). */
export function luckySharpe(trials: number, ratioDeviation: number): number {
  if (trials <= 1 || ratioDeviation === 0) return 0
  const first = (1 - eulerGamma) * normalQuantile(1 - 1 / trials)
  const second = eulerGamma * normalQuantile(1 - 1 / (trials * Math.E))
  return ratioDeviation * (first + second)
}

/** The wallets that were screened, as far as the deflated ratio needs them. */
export type Trials = { readonly count: number; readonly sharpeDeviation: number }

export function trialsOf(sharpes: readonly number[]): Trials {
  return { count: sharpes.length, sharpeDeviation: deviation(sharpes) ?? 0 }
}

/** PSR against the luckiest of the trials. */
export function deflatedSharpe(sample: SharpeSample, trials: Trials): number | undefined {
  return probabilisticSharpe(sample, luckySharpe(trials.count, trials.sharpeDeviation))
}
