import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import { groupCommit, runOrSplit } from '../../postgres/group-commit.ts'
import { groupReads } from '../../postgres/group-reads.ts'
import { databaseOutage } from '../../postgres/outage.ts'
import type { OrderTerms } from '../order.ts'
import type { CancelResult, OrderReference, SubmitResult } from '../venue.ts'
import { keyOf } from './order-key.ts'
import { ownRejection } from './own-rejection.ts'
import { venueClockAt } from './paper-market.ts'
import {
  cancelOrder,
  enterOrder,
  isOpen,
  type PaperOrder,
  type PaperRules,
  type PaperStep,
  refusalOf,
  replaceOrder,
  replaceRefusalOf,
  workTogether,
} from './paper-order.ts'
import { type PaperMarkets, rulesFor } from './paper-submit.ts'
import { type Booked, findOrders } from './postgres-paper-book.ts'
import { spareVenue } from './venue-outage.ts'

/** How often a change may meet an order that has changed since it was read. */
const racesMax = 8

export type PaperChange = {
  readonly sql: Sql
  /** Stores steps, each only on the version it was decided on, and tells of them. */
  readonly change: (steps: readonly PaperStep[], successor?: PaperStep) => Promise<Booked>
}

/** Orders that are cancelled in one commit: a job brings some dozens. */
const cancelsPerCommit = 64
const waitingMax = 10_000

export type PaperCancels = {
  cancel(reference: OrderReference): Promise<CancelResult>
  /** Resolves when no cancel is under way. */
  idle(): Promise<void>
}

/** Cancels orders, those that are asked for together with one look and in one commit. */
export function paperCancels({ sql, change }: PaperChange): PaperCancels {
  const find = groupReads<OrderReference, PaperOrder | undefined>({
    async read(references) {
      const found = await findOrders(sql, references)
      return references.map((reference) => found.get(keyOf(reference)))
    },
    textOf: keyOf,
    keysMax: cancelsPerCommit,
  })
  const commits = groupCommit<PaperStep, boolean>({
    run: (steps) =>
      runOrSplit(
        steps,
        async (some) => {
          const { orders } = await change(some)
          return some.map(({ order }) => orders.has(keyOf(order)))
        },
        (error) => databaseOutage(error) !== undefined,
      ),
    batchMax: cancelsPerCommit,
    // Whoever writes the book holds its lock: a second one would only wait.
    inFlightMax: 1,
    waitingMax,
    refuse: () =>
      spareVenue(new PosternError('venue.unavailable', { reason: 'too many cancels waiting' })),
    keyOf: ({ order }) => keyOf(order),
  })
  const cancel = (reference: OrderReference) =>
    raced<CancelResult>('unknown', async () => {
      const order = await find(reference)
      if (order === undefined) return 'not_found'
      if (!isOpen(order)) return 'not_cancelable'
      return (await commits.submit(cancelOrder(order, 'requested'))) ? 'accepted' : undefined
    })
  return { cancel, idle: commits.idle }
}

/** The successor takes over what its predecessor had filled, in the commit that ends that one. */
export async function replacePaperOrder(
  context: PaperChange & PaperMarkets & { readonly rules: PaperRules },
  { reference, successor }: { readonly reference: OrderReference; readonly successor: OrderTerms },
): Promise<SubmitResult> {
  const unknown: SubmitResult = { kind: 'unknown', reason: 'the database did not answer' }
  return await raced(unknown, async () => {
    const found = await findOrders(context.sql, [reference, successor])
    const present = found.get(keyOf(successor))
    if (present !== undefined) return { kind: 'accepted', venueOrderId: present.venueOrderId }
    const order = found.get(keyOf(reference))
    if (order === undefined) return ownRejection('ORDER_NOT_FOUND')
    const refusal = refusalOf(successor) ?? replaceRefusalOf(order, successor)
    if (refusal !== undefined) return ownRejection(refusal)
    const entered = await enterSuccessor(context, { order, successor })
    if (entered === undefined) return ownRejection('UNKNOWN_SYMBOL')
    const { orders } = await context.change([replaceOrder(order, entered.order)], entered)
    if (orders.size === 0) return undefined
    return { kind: 'accepted', venueOrderId: entered.order.venueOrderId }
  })
}

async function enterSuccessor(
  context: PaperMarkets & { readonly rules: PaperRules },
  { order, successor }: { readonly order: PaperOrder; readonly successor: OrderTerms },
): Promise<PaperStep | undefined> {
  const { account, symbol } = successor
  const [markets, rules] = await Promise.all([
    context.markets(new Map([[account, [symbol]]])),
    rulesFor(context, account),
  ])
  const seen = markets.get(account)?.get(symbol)
  if (seen === undefined) return undefined
  const entered = enterOrder(successor, {
    venueOrderId: Bun.randomUUIDv7(),
    clockMs: seen.clockMs,
    sessionCloseMs: venueClockAt(seen.clockMs).nextCloseMs,
    latencyMs: rules.latencyMs,
    carried: order.cum,
  })
  const [worked] = workTogether([entered], seen, rules)
  return worked ?? { order: entered, events: [] }
}

/** Decides anew where another change was first; `unknown` where the database may have done it. */
async function raced<Result>(
  unknown: Result,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  try {
    for (let races = 0; races < racesMax; races += 1) {
      const result = await attempt()
      if (result !== undefined) return result
    }
    return unknown
  } catch (error) {
    if (databaseOutage(error) === undefined) throw error
    return unknown
  }
}
