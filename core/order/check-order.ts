import { invariant } from '../invariant.ts'
import type { Quantity } from './amount.ts'
import { checkOpenOrders, checkRepetition, checkTwin } from './check-activity.ts'
import { buyingPowerOf, checkBuyingPower, checkShortPrice } from './check-buying-power.ts'
import type { Denial } from './check-denial.ts'
import {
  checkFirmExposure,
  checkPosition,
  checkSectorExposure,
  checkShort,
} from './check-exposure.ts'
import type { CheckInput, CheckResult } from './check-input.ts'
import { checkParticipation, checkSpread } from './check-liquidity.ts'
import {
  checkBand,
  checkCollar,
  checkNotional,
  checkNotionalRate,
  checkReference,
} from './check-price.ts'
import { checkSelfTrade } from './check-self-trade.ts'
import { checkSize, sizeSubject, sizeWarnings } from './check-size.ts'
import { type Subject, subjectOf, worstValue } from './check-subject.ts'
import {
  checkExpiry,
  checkLimitTick,
  checkMaximum,
  checkMinimum,
  checkOrderType,
  checkRestriction,
  checkStopTick,
  checkSymbol,
} from './check-terms.ts'
import {
  checkBreaker,
  checkDrawdown,
  checkKillSwitch,
  checkReduceOnly,
  checkReducing,
  checkSession,
  checkSymbolHalt,
} from './check-trading-state.ts'

type Check = (subject: Subject) => Denial | undefined

/** In the order in which a denial is told; the first that fails gives the order its code. */
const checks: readonly Check[] = [
  checkKillSwitch,
  checkReducing,
  checkBreaker,
  checkSymbolHalt,
  checkSession,
  checkSymbol,
  checkRestriction,
  checkOrderType,
  checkExpiry,
  checkLimitTick,
  checkStopTick,
  checkMinimum,
  checkMaximum,
  checkReference,
  checkCollar,
  checkBand,
  checkNotional,
  checkNotionalRate,
  checkTwin,
  checkRepetition,
  checkOpenOrders,
  checkPosition,
  checkShortPrice,
  checkBuyingPower,
  checkShort,
  checkReduceOnly,
  checkFirmExposure,
  checkSectorExposure,
  checkDrawdown,
  checkParticipation,
  checkSpread,
  checkSelfTrade,
  checkSize,
]

/**
 * Decides whether an order may go out. Every check is evaluated, on the quantity asked for; what
 * lacks its data fails as `STALE_MARKET_DATA`, and what depends on it says nothing. The quantity,
 * reservation and notional of the answer are those after sizing. Held orders run all checks again
 * on release, with the quantity asked for and without themselves in the account's view.
 */
export function checkOrder(input: CheckInput): CheckResult {
  const subject = subjectOf(input)
  const denials = checks.flatMap((check) => check(subject) ?? [])
  const [first] = denials
  if (first !== undefined) {
    // Two checks may lack the same quote.
    const details = [...new Set(denials.map(({ detail }) => detail))]
    return { verdict: 'deny', code: first.code, details }
  }
  const sizing = sizeSubject(subject)
  invariant(sizing.kind === 'sized', 'an order that passed has a size')
  return passed(subject, sizing.leaves)
}

function passed(subject: Subject, leaves: Quantity): CheckResult {
  const { input, waiting } = subject
  const buyingPower = buyingPowerOf(subject, leaves)
  const notional = worstValue(subject, leaves)
  invariant(buyingPower !== undefined && notional !== undefined, 'an order that passed has a price')
  return {
    verdict: waiting === undefined ? 'pass' : 'hold',
    quantity: leaves + (input.replaced?.cumQuantity ?? 0n),
    reservation: { buyingPower, quantity: leaves },
    notional,
    warnings: sizeWarnings(subject, leaves),
    reason: waiting,
  }
}
