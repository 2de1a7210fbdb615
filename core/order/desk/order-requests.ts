import type { Sql } from 'postgres'
import { type Caller, subjectOf } from '../../access/principal.ts'
import { callerRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { type Settled as Fate, groupCommit, runOrSplit } from '../../postgres/group-commit.ts'
import { groupReads } from '../../postgres/group-reads.ts'
import { databaseOutage, rethrowAsOutage } from '../../postgres/outage.ts'
import type { CheckResult } from '../check-input.ts'
import { checkOrder } from '../check-order.ts'
import { quotientUp } from '../check-subject.ts'
import type { ReplacePatch } from '../order.ts'
import { type OrderDocument, orderDocument } from '../order-document.ts'
import { readOfOrders } from './account-directory.ts'
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

/** Cancels that share a commit: as many are asked for at once by some hundred traders. */
const cancelsPerCommit = 32
/** One is under way while the next one fills. */
const commitsInFlight = 2
const waitingMax = 2_000

/**
 * What callers ask of orders that are there. An order of an account that the caller may not trade
 * is as absent as one that never was: `order.not_found`. Neither waits in the queue of new orders;
 * cancels that are asked for at once share a commit, a replacement has its own.
 */
export type OrderRequests = {
  /**
   * Resolves when the cancel is durable; `order.transition_refused` when it is too late. `known` is where the
   * order stood when its caller was found to trade its account, or it is looked up.
   */
  cancel(id: string, caller: Caller, known?: Standing): Promise<OrderDocument>
  replace(id: string, patch: ReplacePatch, caller: Caller): Promise<ReplaceAnswer>
  /** Resolves when no cancel is under way. */
  idle(): Promise<void>
}

type Standing = { readonly account: string; readonly status: string }
type Asked = { readonly id: string; readonly caller: Caller }
type Settled = Asked & { readonly account: string }
/** Nothing was done yet: the order has just been sent. */
const justSent = Symbol('just sent')

export function orderRequests(options: OrderIntakeOptions): OrderRequests {
  const accountOf = settledAccounts(options.sql)
  const cancels = groupCommit<Settled, OrderDocument | typeof justSent>({
    run: (asked) =>
      runOrSplit(
        asked,
        (batch) => cancelTogether(options, batch),
        (error) => databaseOutage(error) !== undefined,
      ).then((fates) => fates.map((fate) => (fate.ok ? fate.value : fate))),
    ...{ batchMax: cancelsPerCommit, inFlightMax: commitsInFlight, waitingMax },
    refuse: () => new PosternError('gateway.overloaded', { retryAfterSeconds: 1 }),
    // Who asks twice at once is answered by what the first of both has done.
    keyOf: ({ id }) => id,
  })

  /** In a transaction in which the order is not just being sent; it goes out in between once. */
  async function whenSettled<Answer>(
    asked: Asked,
    run: (settled: Settled) => Promise<Answer | typeof justSent>,
    known?: Standing,
  ): Promise<Answer> {
    let account = isSettled(known) ? known.account : undefined
    for (;;) {
      account ??= await accountOf(asked)
      const answer = await run({ ...asked, account })
      if (answer !== justSent) return answer
      account = undefined
    }
  }

  return {
    cancel: (id, caller, known) =>
      whenSettled({ id, caller }, cancels.submit, known).catch(rethrowAsOutage),
    replace: (id, patch, caller) =>
      whenSettled({ id, caller }, ({ account }) =>
        deskTransaction(options, { accounts: [account], orders: [id] }, async (work) => {
          const order = orderIn(work, id)
          if (order.state.status === 'pending_new') return justSent
          return await replaceOrder(work, order, { options, patch, caller })
        }),
      ).catch(rethrowAsOutage),
    idle: cancels.idle,
  }
}

/** What is refused to one leaves the others alone. */
async function cancelTogether(
  options: OrderIntakeOptions,
  asked: readonly Settled[],
): Promise<readonly Fate<OrderDocument | typeof justSent>[]> {
  const accounts = [...new Set(asked.map(({ account }) => account))]
  const scope = { accounts, orders: asked.map(({ id }) => id) }
  return await deskTransaction(options, scope, (work) =>
    asked.map(({ id, caller }) => {
      const order = orderIn(work, id)
      if (order.state.status === 'pending_new') return { ok: true, value: justSent }
      try {
        return { ok: true, value: cancelOrder(work, order, caller) }
      } catch (error) {
        if (!(error instanceof PosternError)) throw error
        return { ok: false, error }
      }
    }),
  )
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
function settledAccounts(sql: Sql): (asked: Asked) => Promise<string> {
  const read = groupReads<Asked, Standing | undefined>({
    async read(asked) {
      const orders = asked.map(({ id, caller }) => ({ id, principal: caller.principal }))
      const found = await readOfOrders(sql, orders)
      return found.map((one) => one && { account: one.id, status: one.status })
    },
    textOf: ({ id, caller }) => `${id} ${subjectOf(caller.principal)}`,
    keysMax: 256,
  })
  return async (asked) => {
    const deadline = performance.now() + settleWaitMs
    for (;;) {
      const standing = await read(asked)
      if (standing === undefined) throw new PosternError('order.not_found')
      if (isSettled(standing)) return standing.account
      if (performance.now() > deadline) {
        throw new PosternError('order.transition_refused', {
          detail: 'The venue has not said yet whether it has the order; ask again.',
          retryAfterSeconds: 1,
        })
      }
      await Bun.sleep(settlePollMs)
    }
  }
}

function isSettled(standing: Standing | undefined): standing is Standing {
  return standing !== undefined && standing.status !== 'pending_new'
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
