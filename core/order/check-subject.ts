import type { Money, Price, Quantity } from './amount.ts'
import { type Denial, deny } from './check-denial.ts'
import { type Entry, entryByBreaker, entryBySession } from './check-entry.ts'
import type { CheckInput } from './check-input.ts'

/** An order as its checks see it: what several of them need, computed once. */
export type Subject = {
  readonly input: CheckInput
  /** What can still be executed. */
  readonly leaves: Quantity
  /** The larger of `leaves` and what the replaced order has open: either may be executed. */
  readonly exposed: Quantity
  /** Own open orders on the order's side, the replaced one not included. */
  readonly openBeside: Quantity
  /** Brings the position nearer to zero even if every open order beside it is executed first. */
  readonly isReducing: boolean
  readonly breaker: Entry
  readonly session: Entry
  /** Why the order has to wait, when it has. */
  readonly waiting: string | undefined
  /** Undefined: none that an order may be judged by; `referenceFault` says why. */
  readonly reference: Price | undefined
  readonly referenceFault: Denial | undefined
}

export function subjectOf(input: CheckInput): Subject {
  const { terms, position, replaced } = input
  const leaves = terms.quantity - (replaced?.cumQuantity ?? 0n)
  const replacedLeaves = replaced?.quantity ?? 0n
  const exposed = larger(leaves, replacedLeaves)
  const open = terms.side === 'buy' ? position.openBuy : position.openSell
  const openBeside = larger(open - replacedLeaves, 0n)
  const breaker = entryByBreaker(input)
  const session = entryBySession(input)
  const waiting = reasonOf(breaker) ?? reasonOf(session)
  const referenceFault = faultOfReference(input, waiting !== undefined)
  return {
    input,
    leaves,
    exposed,
    openBeside,
    isReducing: leaves > 0n && exposed <= closable(input, openBeside),
    breaker,
    session,
    waiting,
    reference: referenceFault === undefined ? input.symbolMarket?.reference?.price : undefined,
    referenceFault,
  }
}

function reasonOf(entry: Entry): string | undefined {
  return entry.kind === 'later' ? entry.reason : undefined
}

/** What of the opposite position the open orders beside this one leave to be closed. */
function closable({ terms, position }: CheckInput, openBeside: Quantity): Quantity {
  const held = terms.side === 'buy' ? -position.quantity : position.quantity
  return larger(held - openBeside, 0n)
}

/** Of a quantity: what opens or increases a position instead of closing one. */
export function openingPart({ input, openBeside }: Subject, quantity: Quantity): Quantity {
  return larger(quantity - closable(input, openBeside), 0n)
}

function faultOfReference(input: CheckInput, isWaiting: boolean): Denial | undefined {
  const reference = input.symbolMarket?.reference
  const facts = { source: 'reference', symbol: input.terms.symbol }
  if (reference === undefined) return deny('STALE_MARKET_DATA', { ...facts, fault: 'missing' })
  if (reference.price <= 0n) {
    return deny('STALE_MARKET_DATA', { ...facts, fault: 'not_positive' })
  }
  return faultOfAge('reference', reference.atMs, { input, isWaiting })
}

type AgeOptions = { readonly input: CheckInput; readonly isWaiting: boolean }

/**
 * Nothing newer can come while nothing trades: an order that waits may be judged by old data,
 * because all checks run again before it goes out. Data from the future are never right.
 */
export function faultOfAge(
  source: string,
  atMs: number,
  { input, isWaiting }: AgeOptions,
): Denial | undefined {
  const { dataAgeMaxMs } = input.limits
  const ageMs = input.clockMs - atMs
  const isFuture = !(ageMs >= -dataAgeMaxMs)
  const isOld = !isWaiting && !(ageMs <= dataAgeMaxMs)
  if (!isFuture && !isOld) return undefined
  const facts = { source, symbol: input.terms.symbol, age_ms: ageMs, max_ms: dataAgeMaxMs }
  return deny('STALE_MARKET_DATA', facts)
}

/** What a market order may cost above the reference, in percent of it. */
const marketPercent = 104n

/**
 * The most that a quantity costs or brings: at the limit, or without one at the stop price or the
 * reference, 4 % higher. Undefined without a price.
 */
export function worstValue({ input, reference }: Subject, quantity: Quantity): Money | undefined {
  const { limitPrice, stopPrice } = input.terms
  if (limitPrice !== undefined) return quantity * limitPrice
  const price = stopPrice ?? reference
  return price === undefined ? undefined : quotientUp(quantity * price * marketPercent, 100n)
}

/** Rounded up: what an order needs is never underestimated. */
export function quotientUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
