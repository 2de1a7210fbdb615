import { curveReader } from './curve.ts'
import { gaussian } from './gaussian.ts'
import { type Knot, type Scenario, sessionMinutes } from './scenario.ts'

/** A year of trading, in minutes: what VIX, an annual figure, is spread over. */
const yearMinutes = 252 * sessionMinutes

/** Merton: one jump a trading day on average … */
const jumpsPerMinute = 1 / sessionMinutes
/** … which make up this part of the variance, so that VIX still is what it says. */
const jumpVarianceShare = 0.05
/** Jumps go down a little more often than up; in standard deviations of a jump. */
const jumpMean = -0.25

/** Beyond so many the sum of chances is 1 but for rounding. */
const barJumpsMax = 10
/** Standard deviation of a jump, of VIX / 100. */
const jumpDeviation = Math.sqrt(
  jumpVarianceShare / (jumpsPerMinute * yearMinutes * (1 + jumpMean ** 2)),
)

/** Variance reverts half way in a trading day, and falls when prices rise (Heston's rho). */
const reversionPerMinute = Math.LN2 / sessionMinutes
const correlation = -0.7
const uncorrelated = Math.sqrt(1 - correlation ** 2)
/** VIX looks 30 days ahead, which is 21 of trading. */
const vixMinutes = 21 * sessionMinutes
const vixWeight =
  (1 - Math.exp(-reversionPerMinute * vixMinutes)) / (reversionPerMinute * vixMinutes)

/** One bar's way in logarithms of the price, relative to the series' start. Reused. */
export type Step = {
  open: number
  high: number
  low: number
  close: number
  /** Annualised percent at the end of the bar. */
  vix: number
  jumps: number
}

export type PathOptions = {
  readonly scenario: Scenario
  readonly barMinutes: number
  readonly random: () => number
}

/**
 * Bates' model, that is Heston's variance (full truncation) with Merton's jumps, compensated so
 * that the price is a martingale. Between two knots of a scenario it is a Brownian bridge instead:
 * the same diffusion, led to where the scenario wants it, without jumps.
 */
export function pricePath({ scenario, barMinutes, random }: PathOptions) {
  const normal = gaussian(random)
  const vixAt = curveReader(scenario.vix)
  const bridgeAt = bridgeReader(scenario.knots)
  const jumpsPerBar = jumpsPerMinute * barMinutes
  const noJump = Math.exp(-jumpsPerBar)
  const driftOf = jumpDrift(jumpsPerBar)
  const step: Step = { open: 0, high: 0, low: 0, close: 0, vix: 0, jumps: 0 }
  let price = 0
  let highest = 0
  /** Variance as a multiple of its mean, so that it follows a scenario's VIX at once. */
  let heat = 1

  /** Moves the price by one bar; the shock of a free one, NaN within a bridge. */
  function wander(at: number, sigma: number): number {
    const from = price
    const shock = normal()
    const bridge = bridgeAt(at)
    if (bridge === undefined) price += sigma * shock - (sigma * sigma) / 2
    else {
      const bars = Math.round((bridge.at - at) / barMinutes)
      const target = targetOf(bridge.level, highest)
      price += (target - price) / bars + sigma * Math.sqrt((bars - 1) / bars) * shock
    }
    const move = price - from
    // The extremes of a Brownian motion whose two ends are known.
    const middle = (from + price) / 2
    const spread = 2 * sigma * sigma
    step.high = middle + Math.sqrt(move * move - spread * Math.log(1 - random())) / 2
    step.low = middle - Math.sqrt(move * move - spread * Math.log(1 - random())) / 2
    return bridge === undefined ? shock : Number.NaN
  }

  /** Poisson by inversion: few bars have a jump, and fewer two. */
  function jump(meanVix: number): void {
    const deviation = meanVix * jumpDeviation
    price -= driftOf(deviation)
    let chance = noJump
    let sum = chance
    const draw = random()
    while (draw >= sum && step.jumps < barJumpsMax) {
      step.jumps += 1
      chance *= jumpsPerBar / step.jumps
      sum += chance
      price += jumpMean * deviation + deviation * normal()
    }
  }

  return {
    /** The bar that begins `at` trading minutes; a gap is a part of the price it opens away. */
    next(at: number, gap: number): Step {
      if (gap !== 0) price += Math.log(1 + gap)
      step.open = price
      step.jumps = 0
      const meanVix = vixAt(at) / 100
      const variance = meanVix ** 2 * (1 - jumpVarianceShare) * Math.max(0, heat)
      const shock = wander(at, Math.sqrt((variance * barMinutes) / yearMinutes))
      if (!Number.isNaN(shock)) {
        jump(meanVix)
        heat = nextHeat({ heat, shock: correlation * shock + uncorrelated * normal() }, barMinutes)
      }
      closeStep(step, price)
      highest = Math.max(highest, price)
      step.vix = 100 * meanVix * Math.sqrt(1 + (Math.max(0, heat) - 1) * vixWeight)
      return step
    },
  }
}

/** A jump may lead beyond the extremes of the way before it. */
function closeStep(step: Step, price: number): void {
  step.high = Math.max(step.high, price)
  step.low = Math.min(step.low, price)
  step.close = price
}

/** What jumps of a deviation add to a bar on average; worked out when the deviation changes. */
function jumpDrift(jumpsPerBar: number): (deviation: number) => number {
  let known = 0
  let drift = 0
  return (deviation) => {
    if (deviation !== known) {
      known = deviation
      drift = jumpsPerBar * (Math.exp(jumpMean * deviation + deviation ** 2 / 2) - 1)
    }
    return drift
  }
}

/** CIR with mean 1 and variance 1/2: Feller's condition holds, so it seldom meets 0. */
function nextHeat(
  { heat, shock }: { readonly heat: number; readonly shock: number },
  minutes: number,
): number {
  const pull = reversionPerMinute * minutes
  const held = Math.max(0, heat)
  return heat + pull * (1 - held) + Math.sqrt(pull * held) * shock
}

function targetOf(level: Knot['level'], highest: number): number {
  return level === 'high' ? highest : Math.log(level)
}

/** The knot ahead, between the first and the last one; asked at places that never go back. */
function bridgeReader(knots: readonly Knot[]): (at: number) => Knot | undefined {
  let next = 0
  return (at) => {
    while (next < knots.length && (knots[next]?.at ?? 0) <= at) next += 1
    return next === 0 ? undefined : knots[next]
  }
}
