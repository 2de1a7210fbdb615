import { dataAgeScale, sizeOrder, volatilityScale } from '../market/sizing.ts'
import { formatAmount, type Quantity } from './amount.ts'
import { type Denial, deny, describe } from './check-denial.ts'
import { larger, type Subject } from './check-subject.ts'

export type Sizing =
  | { readonly kind: 'sized'; readonly leaves: Quantity }
  | { readonly kind: 'denied'; readonly denial: Denial }

/**
 * What volatility and the age of the data leave of an order. Not made smaller are exits; an order
 * that waits, which is sized when it goes out; and of a replacement what its predecessor has open,
 * which was sized when that was entered.
 */
export function sizeSubject(subject: Subject): Sizing {
  const { input, leaves, isReducing, waiting, reference } = subject
  const isExempt = input.limits.sizing === 'off' || isReducing || waiting !== undefined
  // A missing reference and no leaves are denied by checks of their own.
  if (isExempt || reference === undefined || leaves <= 0n) return { kind: 'sized', leaves }
  const volatility = input.symbolMarket?.volatilityPercent
  if (volatility === undefined || !isStatistic(volatility)) return withoutVolatility(subject)
  const ageMs = input.clockMs - (input.symbolMarket?.reference?.atMs ?? Number.NaN)
  const scale = volatilityScale(volatility) * dataAgeScale(ageMs, input.limits.dataAgeMaxMs)
  return sizedBy(subject, scale)
}

function sizedBy({ input, leaves }: Subject, scale: number): Sizing {
  const { instrument, replaced } = input
  const lot = instrument?.lot ?? 1n
  if (lot <= 0n) return { kind: 'sized', leaves }
  const kept = smaller(leaves, replaced?.quantity ?? 0n)
  const sized = larger(sizeOrder(leaves, scale, lot), kept)
  const minimum = instrument?.quantityMin ?? 0n
  const isEnough = sized > 0n && sized + (replaced?.cumQuantity ?? 0n) >= minimum
  if (sized === leaves || isEnough) return { kind: 'sized', leaves: sized }
  const facts = { from: formatAmount(leaves), to: formatAmount(sized), min: formatAmount(minimum) }
  return { kind: 'denied', denial: deny('SIZE_ZERO', { ...facts, scale }) }
}

function isStatistic(value: number): boolean {
  return Number.isFinite(value) && value >= 0
}

function withoutVolatility({ input }: Subject): Sizing {
  const value = input.symbolMarket?.volatilityPercent
  const facts = { source: 'volatility', symbol: input.terms.symbol, fault: value ?? 'missing' }
  return { kind: 'denied', denial: deny('STALE_MARKET_DATA', facts) }
}

export function checkSize(subject: Subject): Denial | undefined {
  const sizing = sizeSubject(subject)
  return sizing.kind === 'denied' ? sizing.denial : undefined
}

/** What the caller is told when the order goes out smaller than it was asked for. */
export function sizeWarnings(subject: Subject, sized: Quantity): readonly string[] {
  if (sized === subject.leaves) return []
  const facts = { from: formatAmount(subject.leaves), to: formatAmount(sized) }
  return [describe('SIZE_REDUCED', facts)]
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
