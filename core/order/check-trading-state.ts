import { formatAmount } from './amount.ts'
import { type Denial, deny, timeText } from './check-denial.ts'
import type { Entry } from './check-entry.ts'
import type { Subject } from './check-subject.ts'

export function checkKillSwitch({ input }: Subject): Denial | undefined {
  const { state, scope, reason } = input.state
  return state === 'HALTED' ? deny('TRADING_HALTED', { scope, reason }) : undefined
}

export function checkReducing({ input, isReducing }: Subject): Denial | undefined {
  const { state, scope, reason } = input.state
  if (state !== 'REDUCING' || isReducing) return undefined
  return deny('TRADING_STATE_REDUCING', { scope, reason, ...positionFacts(input) })
}

export function checkReduceOnly({ input, isReducing }: Subject): Denial | undefined {
  if (!input.terms.reduceOnly || isReducing) return undefined
  return deny('REDUCE_ONLY_WOULD_INCREASE', positionFacts(input))
}

function positionFacts({ terms, position }: Subject['input']): Readonly<Record<string, string>> {
  return {
    side: terms.side,
    quantity: formatAmount(terms.quantity),
    position: formatAmount(position.quantity),
    open_buy: formatAmount(position.openBuy),
    open_sell: formatAmount(position.openSell),
  }
}

/**
 * The portfolio-loss breaker. An exit is allowed while it says REDUCING; HALTED is HALTED for every
 * order, as with the kill switch.
 */
export function checkDrawdown({ input, isReducing }: Subject): Denial | undefined {
  const { drawdown } = input.account
  if (drawdown === undefined || drawdown.state === 'ACTIVE') return undefined
  if (drawdown.state === 'REDUCING' && isReducing) return undefined
  const { state, scope, reason } = drawdown
  return deny('DRAWDOWN_LIMIT', { state, scope, reason })
}

export function checkBreaker({ breaker }: Subject): Denial | undefined {
  return denialOf(breaker)
}

export function checkSession({ session }: Subject): Denial | undefined {
  return denialOf(session)
}

function denialOf(entry: Entry): Denial | undefined {
  return entry.kind === 'never' ? entry.denial : undefined
}

/** A venue's halt or a limit-up-limit-down pause; trading resumes at its end. */
export function checkSymbolHalt({ input }: Subject): Denial | undefined {
  const until = input.instrument?.haltedUntilMs
  if (until === undefined || input.clockMs >= until) return undefined
  return deny('SYMBOL_HALTED', { symbol: input.terms.symbol, until: timeText(until) })
}
