import { formatMoney, type Money, type Quantity } from './amount.ts'
import { type Denial, deny } from './check-denial.ts'
import type { AccountView } from './check-input.ts'
import { faultOfQuote } from './check-liquidity.ts'
import { larger, openingPart, quotientUp, type Subject, worstValue } from './check-subject.ts'

/** Regulation T: 150 % of what is short, of which the sale itself brings 100. */
const shortMarginHalves = 3n
/** An order to sell short is valued 3 % above the ask. */
const shortPercent = 103n

/**
 * What an order needs from the account. A sale from a long position needs nothing; a buy that
 * covers a short one neither, as the margin it frees is half more than its cost. Undefined where a
 * price is missing.
 */
export function buyingPowerOf(subject: Subject, quantity: Quantity): Money | undefined {
  const opening = openingPart(subject, quantity)
  if (opening === 0n) return 0n
  if (subject.input.terms.side === 'buy') return worstValue(subject, opening)
  if (faultOfQuote(subject) !== undefined) return undefined
  const ask = BigInt(subject.input.symbolMarket?.quote?.ask ?? 0)
  // Both sides in hundredths, so that the ask is not rounded before it is multiplied.
  const price = larger((subject.input.terms.limitPrice ?? 0n) * 100n, ask * shortPercent)
  return quotientUp(opening * price, 200n)
}

/** The ask that a short sale is valued by. */
export function checkShortPrice(subject: Subject): Denial | undefined {
  const isShort = subject.input.terms.side === 'sell' && openingPart(subject, subject.leaves) > 0n
  return isShort ? faultOfQuote(subject) : undefined
}

/** What an account can still enter; negative when it has lost what it is short by. */
export function buyingPowerLeft(
  account: Pick<AccountView, 'cash' | 'shortValue' | 'reserved'>,
): Money {
  const margin = quotientUp(larger(account.shortValue, 0n) * shortMarginHalves, 2n)
  return account.cash - margin - account.reserved
}

export function checkBuyingPower(subject: Subject): Denial | undefined {
  const { account, replaced } = subject.input
  const needed = buyingPowerOf(subject, subject.leaves)
  if (needed === undefined) return undefined
  const available = buyingPowerLeft(account)
  const added = needed - (replaced?.buyingPower ?? 0n)
  if (added <= 0n || added <= available) return undefined
  return deny('INSUFFICIENT_BUYING_POWER', {
    needed: formatMoney(added),
    available: formatMoney(available),
  })
}
