import Big from 'big.js'
import type { Algorithm } from './algorithm.ts'
import type { Reason } from './eligibility.ts'

/** Half-even at 28 places; strict, so that a JavaScript number cannot slip in unseen. */
const Decimal = Big()
Decimal.DP = 28
Decimal.RM = 2
Decimal.strict = true

/** What FR-3 looks at, as decimal text. Drawdown is a magnitude in percent: more is worse. */
export type Features = {
  readonly sharpe: string
  readonly roiPercent: string
  readonly drawdownPercent: string
}

export type Bounds = { readonly min: string; readonly max: string }
/** The extremes of a cohort: with the weights all that a score depends on beside the wallet. */
export type CohortBounds = Readonly<Record<keyof Features, Bounds>>

const features = ['sharpe', 'roiPercent', 'drawdownPercent'] as const

/** Undefined for an empty cohort. */
export function boundsOf(cohort: readonly Features[]): CohortBounds | undefined {
  const [first] = cohort
  if (first === undefined) return undefined
  const extremes = (feature: keyof Features): Bounds => {
    let min = new Decimal(first[feature])
    let max = min
    for (const member of cohort) {
      const value = new Decimal(member[feature])
      if (value.lt(min)) min = value
      if (value.gt(max)) max = value
    }
    return { min: min.toFixed(), max: max.toFixed() }
  }
  return {
    sharpe: extremes('sharpe'),
    roiPercent: extremes('roiPercent'),
    drawdownPercent: extremes('drawdownPercent'),
  }
}

/** 28 decimal places; see `scoreFeatures` for what each member means. */
export type TrustScore = {
  readonly normalised: Readonly<Record<keyof Features, string>> | null
  readonly performanceScore: string | null
  readonly riskPenalty: string | null
  /** FR-3: 0 to 100 * (w_sharpe + w_roi). */
  readonly trustScore: string | null
  /** The same order over the whole of 0 to 100, and it tells apart what FR-3 clamps to 0. */
  readonly trustScoreScaled: string | null
  readonly reasons: readonly Reason[]
}

/**
 * XORJ requirement FR-3. A cohort whose members are all alike in a feature cannot place anybody:
 * FR-3 does not define that case, so there is no score and a reason instead.
 */
export function scoreFeatures(
  wallet: Features,
  bounds: CohortBounds,
  weights: Algorithm['weights'],
): TrustScore {
  const flat = features.filter((feature) => bounds[feature].min === bounds[feature].max)
  if (flat.length > 0) {
    const detail = `every wallet of the cohort has the same ${flat.join(', ')}`
    return withoutScore({ code: 'COHORT_WITHOUT_SPREAD', detail })
  }
  const sharpe = normalise(wallet.sharpe, bounds.sharpe)
  const roi = normalise(wallet.roiPercent, bounds.roiPercent)
  const drawdown = normalise(wallet.drawdownPercent, bounds.drawdownPercent)
  const performance = sharpe.times(weights.sharpe).plus(roi.times(weights.roi))
  // The one place where drawdown turns into a penalty: it is never inverted before.
  const penalty = drawdown.times(weights.drawdown)
  const net = performance.minus(penalty)
  const span = new Decimal(weights.sharpe).plus(weights.roi).plus(weights.drawdown)
  const raw = net.lt('0') ? new Decimal('0') : net
  return {
    normalised: {
      sharpe: sharpe.toFixed(),
      roiPercent: roi.toFixed(),
      drawdownPercent: drawdown.toFixed(),
    },
    performanceScore: performance.toFixed(),
    riskPenalty: penalty.toFixed(),
    trustScore: rounded(raw.times('100')),
    trustScoreScaled: rounded(net.plus(weights.drawdown).times('100').div(span)),
    reasons: [],
  }
}

export function withoutScore(...reasons: readonly Reason[]): TrustScore {
  return {
    normalised: null,
    performanceScore: null,
    riskPenalty: null,
    trustScore: null,
    trustScoreScaled: null,
    reasons,
  }
}

function normalise(value: string, { min, max }: Bounds) {
  const low = new Decimal(min)
  const share = new Decimal(value).minus(low).div(new Decimal(max).minus(low))
  if (share.lt('0')) return new Decimal('0')
  return share.gt('1') ? new Decimal('1') : share
}

function rounded(value: Big): string {
  return value.round(28, 2).toFixed()
}
