import { type Caller, subjectOf } from '../../access/principal.ts'
import type { IdempotencyKey } from '../../job/intake.ts'
import type { Money } from '../amount.ts'
import type { Limits, PositionView } from '../check-input.ts'
import type { LimitedOrder } from '../limits.ts'
import type { OrderTerms } from '../order.ts'
import type { FirmExposure } from './firm-exposure.ts'
import type { MarketSnapshot } from './market-snapshot.ts'
import type { SwitchRow } from './switches.ts'

/** One order as it is asked for, with everything its schema can say already checked. */
export type OrderRequest = {
  readonly terms: OrderTerms
  readonly idempotency: IdempotencyKey | undefined
  readonly caller: Caller
}

/** What is read beside the locked rows to judge a batch of orders. */
export type EntryView = {
  readonly market: MarketSnapshot
  readonly switches: readonly SwitchRow[]
  readonly limitsFor: (order: LimitedOrder) => Limits
  readonly traders: ReadonlySet<string>
  /** Client order ids that are taken, as `account id`. */
  readonly takenIds: Set<string>
  /** When an order alike was entered last, by its hash. */
  readonly twins: Map<bigint, number>
  /** Best own open orders by position key, of the sides that the batch could meet. */
  readonly resting: Map<string, Resting>
  readonly shortValues: ReadonlyMap<string, Money>
  readonly executions: (account: string, strategy: string | undefined, side: string) => number
  readonly firm: FirmExposure
}

export type Resting = Pick<PositionView, 'bestOwnBuy' | 'bestOwnSell'>

export const noResting: Resting = { bestOwnBuy: undefined, bestOwnSell: undefined }

export const traderKey = (account: string, caller: Caller) =>
  `${account} ${subjectOf(caller.principal)}`

/** What makes two orders of an account alike: 64 bits of a hash, for a look-up by index. */
export function twinOf({ account, symbol, side, type, timeInForce, ...terms }: OrderTerms): bigint {
  const text = [
    account,
    symbol,
    side,
    type,
    timeInForce,
    terms.quantity,
    terms.limitPrice ?? '',
    terms.stopPrice ?? '',
  ].join(' ')
  return BigInt.asIntN(64, BigInt(Bun.hash(text)))
}
