import { algorithms } from './algorithm.ts'
import type { Reason } from './eligibility.ts'
import type { ScoreOptions } from './measure-wallet.ts'
import { sharpeSampleOf } from './metrics.ts'
import { deflatedSharpe, trialsOf } from './sharpe-significance.ts'
import { boundsOf, type Features, scoreFeatures, withoutScore } from './trust-score.ts'
import type { Cohort, Measurement, WalletScore } from './wallet-score.ts'

/** The eligible wallets of a batch and the extremes they are placed between. */
export function formCohort(
  id: string,
  measurements: readonly Measurement[],
  options: ScoreOptions,
): Cohort {
  const members = measurements.flatMap((measurement) => featuresOf(measurement) ?? [])
  const sharpes = measurements.flatMap((measurement) => measurement.metrics.sharpePerPeriod ?? [])
  return {
    id,
    ...options,
    size: members.length,
    screened: measurements.length,
    bounds: boundsOf(members) ?? null,
    trials: trialsOf(sharpes),
  }
}

/**
 * The score of one measured wallet. `cohort` is its own batch, or for a wallet alone the last
 * complete batch with the same options. Too small a cohort gives no score, never a made-up one.
 */
export function scoreMeasured(measurement: Measurement, cohort: Cohort | undefined): WalletScore {
  const { reasons, ...score } = placed(measurement, cohort)
  const sample = sharpeSampleOf(measurement.metrics)
  const dsr = sample && cohort ? (deflatedSharpe(sample, cohort.trials) ?? null) : null
  return {
    ...measurement,
    ...score,
    normalised: score.normalised === null ? null : { ...score.normalised },
    reasons: [...measurement.reasons, ...reasons],
    dsr,
    cohort: cohort ?? null,
  }
}

function placed(measurement: Measurement, cohort: Cohort | undefined) {
  const features = featuresOf(measurement)
  if (features === undefined) return withoutScore()
  const { cohortMin, weights } = algorithms[measurement.algorithmVersion]
  if (cohort === undefined || cohort.bounds === null || cohort.size < cohortMin) {
    return withoutScore(tooSmall(cohort?.size, cohortMin))
  }
  return scoreFeatures(features, cohort.bounds, weights)
}

function tooSmall(size: number | undefined, cohortMin: number): Reason {
  const found = size === undefined ? 'no reference cohort' : `a cohort of ${size} eligible wallets`
  return { code: 'COHORT_TOO_SMALL', detail: `${found}, ${cohortMin} needed` }
}

/** Undefined for a wallet that is not eligible. */
function featuresOf({ status, metrics }: Measurement): Features | undefined {
  const { sharpe, netRoiPercent, maxDrawdown } = metrics
  if (status !== 'eligible') return undefined
  if (sharpe === null || netRoiPercent === null || maxDrawdown === null) return undefined
  return {
    sharpe: String(sharpe),
    roiPercent: netRoiPercent,
    drawdownPercent: String(Math.abs(maxDrawdown) * 100),
  }
}
