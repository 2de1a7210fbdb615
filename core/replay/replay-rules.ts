import { type BreakerRules, mwcbRules } from '../market/breaker.ts'
import { type DrawdownRules, drawdownRules } from '../market/drawdown-breaker.ts'
import { type Money, moneyOf, type Price, type Quantity, unit } from '../order/amount.ts'
import type { Limits } from '../order/check-input.ts'
import { limitsFor } from '../order/limits.ts'
import { type PaperOptions, paperDefaults } from '../order/venue/paper-market.ts'

/** By what a replay decides; each can be changed to see what it is worth. */
export type ReplayRules = {
  readonly limits: Limits
  readonly breaker: BreakerRules
  readonly drawdown: DrawdownRules
  readonly paper: PaperOptions
  /** Of the account, in 1/10,000: what a buy asks for. A market order holds 4 % more. */
  readonly investedBasisPoints: number
}

/** With 4 % on top of it, as a market order is held, it stays below the whole. */
const investedBasisPoints = 9_500

/**
 * The desk's own defaults. Limits in money and shares grow with an account above 100,000, so that a
 * large account is measured by its strategy and not by the default of a small one.
 */
export function replayRules(cash: Money): ReplayRules {
  const order = { account: replayAccount, symbol: '', strategy: undefined, sector: undefined }
  const limits = limitsFor([], order)
  const whole = moneyOf('100000')
  const times = cash > whole ? (cash + whole - 1n) / whole : 1n
  return {
    limits: {
      ...limits,
      quantityMax: limits.quantityMax * times,
      notionalMax: limits.notionalMax * times,
      notionalPerMinuteMax: limits.notionalPerMinuteMax * times,
      positionMax: limits.positionMax * times,
    },
    breaker: mwcbRules,
    drawdown: drawdownRules,
    paper: { ...paperDefaults, mode: 'strict' },
    investedBasisPoints,
  }
}

export const replayAccount = 'replay'

/** Whole shares that a buy asks for: a part of the account; 0 without a price. */
export function investedShares(rules: ReplayRules, equity: Money, price: Price): Quantity {
  if (price <= 0n || equity <= 0n) return 0n
  return wholeShares((equity * BigInt(rules.investedBasisPoints)) / 10_000n / price)
}

/** Whole shares that one market order may be of, by its notional and its quantity. */
export function sharesPerOrder({ limits }: ReplayRules, price: Price): Quantity {
  if (price <= 0n) return 0n
  const shares = wholeShares((limits.notionalMax * 100n) / (price * 104n))
  return lesser(shares, limits.quantityMax)
}

export function lesser(a: Quantity, b: Quantity): Quantity {
  return a < b ? a : b
}

export function wholeShares(quantity: Quantity): Quantity {
  return quantity - (quantity % unit)
}
