import type { Sql } from 'postgres'
import type { Caller } from '../../access/principal.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { CheckInput } from '../check-input.ts'
import { checkOrder } from '../check-order.ts'
import { type DeskWork, deskTransaction } from './desk-transaction.ts'
import { type DeskOrder, heldBy } from './desk-view.ts'
import { checkInputOf } from './entry-input.ts'
import type { EntryView } from './entry-view.ts'
import type { OrderIntakeOptions } from './order-intake.ts'
import { readEntryView } from './read-entry.ts'

/** Orders that are looked at in one transaction. */
const waitingPerRun = 200

export type Released = {
  readonly expired: number
  readonly released: number
  readonly denied: number
}

/**
 * Orders that wait on our side, accepted or held: what is over expires, and what waited for the
 * market passes all checks again before it goes out, as the market and the account are now.
 */
export async function releaseWaiting(
  options: OrderIntakeOptions,
  account: string,
): Promise<Released> {
  const ids = await readWaiting(options.sql, account).catch(rethrowAsOutage)
  if (ids.length === 0) return { expired: 0, released: 0, denied: 0 }
  return await deskTransaction(options, { accounts: [account], orders: ids }, async (work) => {
    const orders = ids.flatMap((id) => work.desk.order(id) ?? [])
    const requests = orders.map((order) => ({
      terms: { ...order.state.terms, quantity: order.requested },
      caller: callerOf(order),
      idempotency: undefined,
    }))
    const { transaction, at } = work
    const view = await readEntryView(transaction, requests, {
      at,
      readMarket: options.readMarket,
    })
    const { clock } = work.desk.account(account)
    const clockMs = view.market.clockMs(clock)
    const counts = { expired: 0, released: 0, denied: 0, waiting: 0 }
    if (clockMs === undefined) return counts
    for (const order of orders) {
      if (isOver(order, clockMs)) {
        if (work.desk.move(order, { type: 'expire' }).kind === 'moved') counts.expired += 1
      } else if (order.state.status === 'held') {
        counts[release(work, view, order)] += 1
      }
    }
    return { expired: counts.expired, released: counts.released, denied: counts.denied }
  }).catch(rethrowAsOutage)
}

async function readWaiting(sql: Sql, account: string): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from postern_order
    where is_open and account = ${account} and status in ('accepted', 'held')
    order by id limit ${waitingPerRun}`
  return rows.map(({ id }) => id)
}

/** Its own words: who placed it stands in the record of its entry. */
function callerOf({ origin }: DeskOrder): Caller {
  return {
    principal: {
      issuer: origin.issuer,
      subject: origin.subject,
      tokenId: '',
      keyId: '',
      scopes: new Set(),
      expiresAt: 0,
    },
    clientAddress: '',
    userAgent: '',
    requestId: origin.requestId,
    traceparent: origin.traceparent,
  }
}

/** A day order lives to the close of its session, that instant included. */
function isOver({ state }: DeskOrder, clockMs: number): boolean {
  const { timeInForce, expireAt } = state.terms
  if (expireAt === undefined) return false
  return timeInForce === 'gtd' ? clockMs >= expireAt : clockMs > expireAt
}

type Fate = 'released' | 'denied' | 'waiting'

/** Judged as if it were new: what it holds itself is not in its way. */
function release(work: DeskWork, view: EntryView, order: DeskOrder): Fate {
  const { desk } = work
  const terms = { ...order.state.terms, quantity: order.requested }
  const result = checkOrder(withoutItself(checkInputOf(work, view, { terms, self: order }), order))
  if (result.verdict === 'hold') return 'waiting'
  if (result.verdict === 'deny') {
    const { code, details } = result
    return desk.move(order, { type: 'risk.deny', code, details }).kind === 'moved'
      ? 'denied'
      : 'waiting'
  }
  order.reserved = result.reservation.buyingPower
  const { quantity } = result
  const event =
    quantity < order.state.terms.quantity
      ? ({ type: 'resume', quantity } as const)
      : ({ type: 'resume' } as const)
  if (desk.move(order, event).kind !== 'moved') return 'waiting'
  desk.advance(order)
  return 'released'
}

function withoutItself(input: CheckInput, order: DeskOrder): CheckInput {
  const held = heldBy(order)
  const { account, position, terms } = input
  return {
    ...input,
    account: {
      ...account,
      reserved: account.reserved - held.money,
      openOrders: account.openOrders - held.orders,
    },
    position: {
      ...position,
      ...(terms.side === 'buy'
        ? { openBuy: position.openBuy - held.quantity }
        : { openSell: position.openSell - held.quantity }),
    },
  }
}
