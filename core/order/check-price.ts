import { formatAmount, formatMoney, unit } from './amount.ts'
import { type Denial, deny } from './check-denial.ts'
import { type Subject, worstValue } from './check-subject.ts'

const basisPointsPerOne = 10_000n
/** Below it a cent is so large a part of the price that the collar is twice as wide. */
const lowPrice = 3n * unit

export function checkReference({ referenceFault }: Subject): Denial | undefined {
  return referenceFault
}

export function checkCollar({ input, reference }: Subject): Denial | undefined {
  const { limitPrice } = input.terms
  if (limitPrice === undefined || reference === undefined) return undefined
  const configured = wholeBasisPoints(input.limits.collarBasisPoints)
  const basisPoints = reference < lowPrice ? configured * 2n : configured
  const away = limitPrice > reference ? limitPrice - reference : reference - limitPrice
  if (away * basisPointsPerOne <= reference * basisPoints) return undefined
  return deny('PRICE_COLLAR', {
    limit: formatAmount(limitPrice),
    reference: formatAmount(reference),
    basis_points: basisPoints.toString(),
  })
}

/** The limit-up-limit-down band, where it is known. */
export function checkBand({ input }: Subject): Denial | undefined {
  const { limitPrice } = input.terms
  const band = input.instrument?.band
  if (limitPrice === undefined || band === undefined) return undefined
  if (limitPrice >= band.lower && limitPrice <= band.upper) return undefined
  return deny('PRICE_COLLAR', {
    limit: formatAmount(limitPrice),
    band_lower: formatAmount(band.lower),
    band_upper: formatAmount(band.upper),
  })
}

export function checkNotional(subject: Subject): Denial | undefined {
  const notional = worstValue(subject, subject.input.terms.quantity)
  const { notionalMax } = subject.input.limits
  if (notional === undefined || notional <= notionalMax) return undefined
  return deny('NOTIONAL_EXCEEDS_MAX_PER_ORDER', {
    notional: formatMoney(notional),
    max: formatMoney(notionalMax),
  })
}

export function checkNotionalRate(subject: Subject): Denial | undefined {
  const { account, limits } = subject.input
  const notional = worstValue(subject, subject.leaves)
  if (notional === undefined) return undefined
  if (account.notionalLastMinute + notional <= limits.notionalPerMinuteMax) return undefined
  return deny('NOTIONAL_RATE_EXCEEDED', {
    notional: formatMoney(notional),
    last_minute: formatMoney(account.notionalLastMinute),
    max: formatMoney(limits.notionalPerMinuteMax),
  })
}

/** A limit that is no whole number of basis points allows the whole part, or nothing. */
export function wholeBasisPoints(value: number): bigint {
  return Number.isFinite(value) && value > 0 ? BigInt(Math.floor(value)) : 0n
}
