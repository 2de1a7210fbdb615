import { type BreakerRules, mwcbRules } from '../market/breaker.ts'
import { type DrawdownRules, drawdownRules } from '../market/drawdown-breaker.ts'
import { type Money, moneyOf, unit } from '../order/amount.ts'
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

/** Whole shares that the rules let a buy ask for; 0 without a price. */
export function sharesFor(rules: ReplayRules, equity: Money, priceNanos: number): bigint {
  const { limits } = rules
  const price = BigInt(priceNanos)
  if (price <= 0n || equity <= 0n) return 0n
  const invested = (equity * BigInt(rules.investedBasisPoints)) / 10_000n
  const allowed = (limits.notionalMax * 100n) / 104n
  const money = invested < allowed ? invested : allowed
  const shares = money / price
  const quantity = shares < limits.quantityMax ? shares : limits.quantityMax
  return quantity - (quantity % unit)
}
