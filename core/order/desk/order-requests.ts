import type { Sql } from 'postgres'
import type { Caller } from '../../access/principal.ts'
import { callerRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { CheckResult } from '../check-input.ts'
import { checkOrder } from '../check-order.ts'
import { quotientUp } from '../check-subject.ts'
import type { ReplacePatch } from '../order.ts'
import { type OrderDocument, orderDocument } from '../order-document.ts'
import { successorTerms } from './apply-report.ts'
import { type DeskWork, deskTransaction } from './desk-transaction.ts'
import { type DeskOrder, heldBy, isOpenOrder } from './desk-view.ts'
import { checkInputOf } from './entry-input.ts'
import type { OrderIntakeOptions } from './order-intake.ts'
import { readEntryView } from './read-entry.ts'

/** How long a request waits for a venue's first word about an order that was just sent. */
const settleWaitMs = 2_000
const settlePollMs = 20

export type ReplaceAnswer = {
  readonly order: OrderDocument
  readonly replacement:
    | { readonly status: 'pending'; readonly order_id: string }
    | {
        readonly status: 'denied'
        readonly reject_code: string
        readonly reject_details: readonly string[]
      }
}

/**
 * What callers ask of orders that are there. An order of an account that the caller may not trade
 * is as absent as one that never was: `order.not_found`. Each request commits alone, ahead of the
 * queue of new orders.
 */
export type OrderRequests = {
  /** Resolves when the cancel is durable; `order.transition_refused` when it is too late. */
  cancel(id: string, caller: Caller): Promise<OrderDocument>
  replace(id: string, patch: ReplacePatch, caller: Caller): Promise<ReplaceAnswer>
}

export function orderRequests(options: OrderIntakeOptions): OrderRequests {
  return {
    cancel: (id, caller) =>
      whenSettled(options, { id, caller }, (work, order) => cancelOrder(work, order, caller)),
    replace: (id, patch, caller) =>
      whenSettled(options, { id, caller }, (work, order) =>
        replaceOrder(work, order, { options, patch, caller }),
      ),
  }
}

/** What is asked of one order, in a transaction in which it is not just being sent. */
async function whenSettled<Answer>(
  options: OrderIntakeOptions,
  { id, caller }: { readonly id: string; readonly caller: Caller },
  run: (work: DeskWork, order: DeskOrder) => Promise<Answer> | Answer,
): Promise<Answer> {
  const account = await settledAccount(options.sql, id, caller).catch(rethrowAsOutage)
  const scope = { accounts: [account], orders: [id] }
  const answered = await deskTransaction(options, scope, async (work) => {
    const order = orderIn(work, id)
    if (order.state.status === 'pending_new') return undefined
    return { answer: await run(work, order) }
  }).catch(rethrowAsOutage)
  // It went out in between, which an order does once.
  return answered === undefined ? await whenSettled(options, { id, caller }, run) : answered.answer
}

function cancelOrder(work: DeskWork, order: DeskOrder, caller: Caller): OrderDocument {
  const result = work.desk.move(order, { type: 'cancel.request' })
  if (result.kind === 'refused') throw refusedRequest(order, result.code)
  if (result.kind === 'moved') {
    work.record([requestRecord(order, { work, caller, request: 'cancel' })])
    if (order.state.status === 'pending_cancel') work.desk.advance(order)
  }
  return orderDocument(order, work.at)
}

type Replacing = {
  readonly options: OrderIntakeOptions
  readonly patch: ReplacePatch
  readonly caller: Caller
}

async function replaceOrder(
  work: DeskWork,
  order: DeskOrder,
  { options, patch, caller }: Replacing,
): Promise<ReplaceAnswer> {
  const replacement = { successor: Bun.randomUUIDv7(), patch }
  const terms = successorTerms(order.state.terms, replacement, replacement.successor)
  const request = { terms, caller, idempotency: undefined }
  const { transaction, at } = work
  const view = await readEntryView(transaction, [request], {
    at,
    readMarket: options.readMarket,
  })
  const held = heldBy(order)
  const input = {
    ...checkInputOf(work, view, { terms, twin: order.twin, self: order }),
    replaced: {
      buyingPower: held.money,
      quantity: held.quantity,
      cumQuantity: order.state.cumQuantity,
    },
  }
  if (input.state.state === 'HALTED') {
    throw new PosternError('trading.halted', {
      detail: `Trading is halted (${input.state.scope}). Cancels still pass.`,
      retryAfterSeconds: 60,
    })
  }
  const result = checkOrder(input)
  if (result.verdict === 'deny') {
    const { code, details } = result
    work.record([requestRecord(order, { work, caller, request: 'replace', code, details })])
    return {
      order: orderDocument(order, at),
      replacement: { status: 'denied', reject_code: code, reject_details: details },
    }
  }
  order.replacementReserved = ofWhole(result)
  // Sized like any order: the successor may be smaller than what was asked for.
  const sized = { ...patch, quantity: result.quantity }
  const event = {
    type: 'replace.request',
    successor: replacement.successor,
    patch: sized,
  } as const
  const moved = work.desk.move(order, event)
  if (moved.kind !== 'moved') {
    throw refusedRequest(order, moved.kind === 'refused' ? moved.code : 'INVALID_TRANSITION')
  }
  work.record([requestRecord(order, { work, caller, request: 'replace' })])
  work.desk.advance(order)
  return {
    order: orderDocument(order, at),
    replacement: { status: 'pending', order_id: replacement.successor },
  }
}

/** What an order holds is a part of what its whole takes; the checks reckon what it has left. */
function ofWhole({ quantity, reservation }: Extract<CheckResult, { verdict: 'pass' | 'hold' }>) {
  return quotientUp(reservation.buyingPower * quantity, reservation.quantity)
}

function orderIn({ desk }: DeskWork, id: string): DeskOrder {
  const order = desk.order(id)
  if (order === undefined) throw new Error('invariant: an order is never deleted')
  return order
}

/**
 * The order's account, once the order is not between being sent and being known: until then there
 * is nothing at the venue that could be cancelled, in a moment there is.
 */
async function settledAccount(sql: Sql, id: string, caller: Caller): Promise<string> {
  const { issuer, subject } = caller.principal
  const deadline = performance.now() + settleWaitMs
  for (;;) {
    const [row] = await sql<{ account: string; status: string }[]>`
      select o.account, o.status from postern_order o
      join postern_account_trader t on t.account = o.account
        and t.issuer = ${issuer} and t.subject = ${subject}
      where o.id = ${id}`
    if (row === undefined) throw new PosternError('order.not_found')
    if (row.status !== 'pending_new') return row.account
    if (performance.now() > deadline) {
      throw new PosternError('order.transition_refused', {
        detail: 'The venue has not said yet whether it has the order; ask again.',
        retryAfterSeconds: 1,
      })
    }
    await Bun.sleep(settlePollMs)
  }
}

function refusedRequest({ state }: DeskOrder, code: string): PosternError {
  const isLate = !isOpenOrder(state)
  return new PosternError('order.transition_refused', {
    detail: `${isLate ? 'TOO_LATE' : code}: the order is ${state.status}.`,
    reason: code,
    ...(isLate ? {} : { retryAfterSeconds: 1 }),
  })
}

function requestRecord(
  order: DeskOrder,
  about: {
    readonly work: DeskWork
    readonly caller: Caller
    readonly request: 'cancel' | 'replace'
    readonly code?: string
    readonly details?: readonly string[]
  },
) {
  const { work, caller, request, code, details } = about
  return callerRecord(caller, {
    id: Bun.randomUUIDv7(),
    type: code === undefined ? 'order.changed' : 'order.denied',
    at: work.at,
    target: `order/${order.state.terms.id}`,
    outcome: code === undefined ? 'ok' : 'refused',
    reason: code,
    details: { request, account: order.state.terms.account, rejectDetails: details },
  })
}
