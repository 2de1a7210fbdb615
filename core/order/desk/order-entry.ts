import type { Caller } from '../../access/principal.ts'
import { callerRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { nextSession, sessionOf } from '../../market/session.ts'
import { formatAmount, formatMoney } from '../amount.ts'
import type { CheckInput, CheckResult } from '../check-input.ts'
import { checkOrder } from '../check-order.ts'
import type { OrderTerms } from '../order.ts'
import { type OrderDocument, orderDocument } from '../order-document.ts'
import { newOrder } from '../transition.ts'
import type { DeskWork } from './desk-transaction.ts'
import { type DeskOrder, positionKey } from './desk-view.ts'
import { checkInputOf } from './entry-input.ts'
import {
  type EntryView,
  noResting,
  type OrderRequest,
  type Resting,
  traderKey,
  twinOf,
} from './entry-view.ts'

export type Entered = { readonly order: OrderDocument; readonly replayed: boolean }

/**
 * Decides one order of a batch and enters it, passed, held or denied. What was entered before it
 * in the same transaction counts. Throws what is answered instead of an order: nothing is entered.
 */
export function enterOrder(work: DeskWork, view: EntryView, request: OrderRequest): OrderDocument {
  const { desk, at } = work
  const { terms, caller } = request
  refuseStranger(view, request)
  const clientKey = `${terms.account} ${terms.clientOrderId}`
  if (view.takenIds.has(clientKey)) {
    throw new PosternError('order.client_id_taken', {
      detail: 'The account has an order of this client_order_id; use a new one for a new order.',
    })
  }
  const twin = twinOf(terms)
  const input = checkInputOf(work, view, { terms, twin })
  if (input.state.state === 'HALTED') throw halted(work, request, input)
  const result = checkOrder(input)
  const order = deskOrderOf(request, { result, twin, at, clockMs: input.clockMs })
  view.takenIds.add(clientKey)
  view.twins.set(twin, at.getTime())
  desk.enter(order)
  desk.move(order, { type: 'submit', requested: terms.quantity })
  settle(work, view, { order, result })
  work.record([entryRecord(order, result, { caller, at })])
  return orderDocument(order, at)
}

function refuseStranger({ traders }: EntryView, { terms, caller }: OrderRequest): void {
  if (traders.has(traderKey(terms.account, caller))) return
  throw new PosternError('account.not_authorized', {
    detail: 'The token may not trade this account, or there is none of this name.',
  })
}

function halted(work: DeskWork, { terms, caller }: OrderRequest, input: CheckInput): PosternError {
  const { scope, reason } = input.state
  work.record([
    callerRecord(caller, {
      id: Bun.randomUUIDv7(),
      type: 'order.denied',
      at: work.at,
      target: `account/${terms.account}`,
      outcome: 'refused',
      reason: 'TRADING_HALTED',
      details: { scope, symbol: terms.symbol, side: terms.side },
    }),
  ])
  return new PosternError('trading.halted', {
    detail: `Trading is halted (${scope}): ${reason}. Cancels still pass.`,
    retryAfterSeconds: 60,
  })
}

function deskOrderOf(
  { terms, caller }: OrderRequest,
  about: { result: CheckResult; twin: bigint; at: Date; clockMs: number },
): DeskOrder {
  const { result, twin, at } = about
  const quantity = result.verdict === 'deny' ? terms.quantity : result.quantity
  const expireAt = terms.timeInForce === 'day' ? dayEnd(about.clockMs) : terms.expireAt
  return {
    origin: {
      issuer: caller.principal.issuer,
      subject: caller.principal.subject,
      requestId: caller.requestId,
      traceparent: caller.traceparent,
    },
    requested: terms.quantity,
    receivedAt: at,
    twin,
    state: newOrder({ ...terms, quantity, expireAt }),
    reserved: result.verdict === 'deny' ? 0n : result.reservation.buyingPower,
    replacementReserved: 0n,
  }
}

/** Of the session under way, or the next: where there is none, the order lives for a day. */
function dayEnd(clockMs: number): number {
  const session = sessionOf(clockMs)
  if (session !== undefined && clockMs <= session.closeMs) return session.closeMs
  return nextSession(clockMs)?.closeMs ?? clockMs + 86_400_000
}

/** The reservation is taken by the move itself. */
function settle(
  work: DeskWork,
  view: EntryView,
  { order, result }: { order: DeskOrder; result: CheckResult },
): void {
  const { desk } = work
  const { terms } = order.state
  if (result.verdict === 'deny') {
    desk.move(order, { type: 'risk.deny', code: result.code, details: result.details })
    return
  }
  desk.account(terms.account).notionalWindow.add(work.at, result.notional)
  addResting(view.resting, terms)
  view.firm.add(view.market.sector(terms.symbol), result.notional)
  desk.move(order, { type: 'risk.pass', warnings: result.warnings })
  if (result.verdict === 'hold') desk.move(order, { type: 'halt', reason: result.reason ?? '' })
  else desk.advance(order)
}

/** The next order of the batch may not meet this one. */
function addResting(resting: Map<string, Resting>, terms: OrderTerms): void {
  const { side, limitPrice } = terms
  const key = positionKey(terms.account, terms.symbol)
  const known = resting.get(key) ?? noResting
  const best = side === 'buy' ? known.bestOwnBuy : known.bestOwnSell
  const isBetter =
    typeof best === 'bigint' &&
    limitPrice !== undefined &&
    (side === 'buy' ? limitPrice > best : limitPrice < best)
  const next = best === undefined || isBetter ? (limitPrice ?? 'market') : best
  const merged = limitPrice === undefined ? 'market' : next
  resting.set(key, {
    ...known,
    ...(side === 'buy' ? { bestOwnBuy: merged } : { bestOwnSell: merged }),
  })
}

function entryRecord(
  order: DeskOrder,
  result: CheckResult,
  { caller, at }: { caller: Caller; at: Date },
) {
  const { terms } = order.state
  const isDenied = result.verdict === 'deny'
  const passedType = result.verdict === 'hold' ? 'order.held' : 'order.accepted'
  return callerRecord(caller, {
    // One order, one record of its entry.
    id: terms.id,
    type: isDenied ? 'order.denied' : passedType,
    at,
    target: `order/${terms.id}`,
    outcome: isDenied ? 'refused' : 'ok',
    reason: isDenied ? result.code : undefined,
    details: {
      account: terms.account,
      clientOrderId: terms.clientOrderId,
      symbol: terms.symbol,
      side: terms.side,
      type: terms.type,
      timeInForce: terms.timeInForce,
      quantity: formatAmount(terms.quantity),
      requested: formatAmount(order.requested),
      limitPrice: terms.limitPrice && formatAmount(terms.limitPrice),
      stopPrice: terms.stopPrice && formatAmount(terms.stopPrice),
      ...(isDenied
        ? { rejectDetails: result.details }
        : { reserved: formatMoney(order.reserved), warnings: result.warnings }),
    },
  })
}
