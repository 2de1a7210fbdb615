import type { Sql } from 'postgres'
import type { Caller } from '../../access/principal.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { CheckInput, DenyCode } from '../check-input.ts'
import { checkOrder } from '../check-order.ts'
import type { OrderTerms } from '../order.ts'
import { type DeskWork, deskTransaction } from './desk-transaction.ts'
import { type DeskOrder, heldBy } from './desk-view.ts'
import { checkInputOf } from './entry-input.ts'
import type { EntryView } from './entry-view.ts'
import type { OrderIntakeOptions } from './order-intake.ts'
import { readEntryView } from './read-entry.ts'

/** Orders that are looked at in one transaction; meanwhile their account waits. */
const ordersPerCommit = 200

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
  const counts: Counts = { expired: 0, released: 0, denied: 0, waiting: 0 }
  let after: string | undefined = firstId
  while (after !== undefined) {
    const ids: readonly string[] = await readWaiting(options, account, after).catch(rethrowAsOutage)
    if (ids.length > 0) for (const fate of await look(options, account, ids)) counts[fate] += 1
    after = ids.at(-1)
  }
  const { expired, released, denied } = counts
  return { expired, released, denied }
}

type Fate = keyof Released | 'waiting'
type Counts = { [Name in Fate]: number }

/** Less than any UUIDv7. */
const firstId = '00000000-0000-0000-0000-000000000000'

/**
 * Of an order `o` of the account `a` at the market `m`. What was accepted is on its way; of that only what
 * is over by the market's clock is looked at.
 */
export function isWaiting(sql: Sql, now: Date) {
  return sql`(o.is_unsettled and (o.status = 'held' or o.status = 'accepted' and o.expire_at
    <= case a.clock when 'live' then ${now}::timestamptz else m.time end))`
}

async function readWaiting(
  { sql, now }: OrderIntakeOptions,
  account: string,
  after: string,
): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select o.id from postern_order o
    join postern_account a on a.id = o.account
    join postern_market m on m.clock = a.clock
    where o.account = ${account} and o.id > ${after} and ${isWaiting(sql, now())}
    order by o.id limit ${ordersPerCommit}`
  return rows.map(({ id }) => id)
}

async function look(
  options: OrderIntakeOptions,
  account: string,
  ids: readonly string[],
): Promise<readonly Fate[]> {
  return await deskTransaction(options, { accounts: [account], orders: ids }, async (work) => {
    const orders = ids.flatMap((id) => work.desk.order(id) ?? [])
    const requests = orders.map((order) => ({
      terms: asRequested(order),
      caller: callerOf(order),
      idempotency: undefined,
    }))
    const { transaction, at, desk } = work
    const { readMarket } = options
    const view = await readEntryView(transaction, requests, { at, readMarket })
    const clockMs = view.market.clockMs(desk.account(account).clock)
    // A replay that has no bar yet has no time either.
    if (clockMs === undefined) return []
    return orders.map((order) => fateOf(work, view, { order, clockMs }))
  }).catch(rethrowAsOutage)
}

function fateOf(
  work: DeskWork,
  view: EntryView,
  { order, clockMs }: { readonly order: DeskOrder; readonly clockMs: number },
): Fate {
  const { status } = order.state
  // Meanwhile it may have gone out.
  if (status !== 'held' && status !== 'accepted') return 'waiting'
  if (isOver(order, clockMs)) {
    return work.desk.move(order, { type: 'expire' }).kind === 'moved' ? 'expired' : 'waiting'
  }
  return status === 'held' ? release(work, view, order) : 'waiting'
}

/** Judged by what was asked for: what has become calmer since makes it whole again. */
function asRequested({ state, requested }: DeskOrder): OrderTerms {
  return { ...state.terms, quantity: requested }
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

/** Judged as if it were new: what it holds itself is not in its way. */
function release(work: DeskWork, view: EntryView, order: DeskOrder): Fate {
  const { desk } = work
  const terms = asRequested(order)
  const result = checkOrder(withoutItself(checkInputOf(work, view, { terms, self: order }), order))
  if (result.verdict === 'hold') return 'waiting'
  if (result.verdict === 'deny') {
    const { code, details } = result
    if (details.every(isOfData)) return 'waiting'
    return desk.move(order, { type: 'risk.deny', code, details }).kind === 'moved'
      ? 'denied'
      : 'waiting'
  }
  const { quantity, reservation } = result
  const event =
    quantity < order.state.terms.quantity
      ? ({ type: 'resume', quantity } as const)
      : ({ type: 'resume' } as const)
  if (desk.move(order, event, reservation.buyingPower).kind !== 'moved') return 'waiting'
  desk.advance(order)
  return 'released'
}

/** After a halt the index trades first and each symbol in its time: until then nothing is known. */
function isOfData(detail: string): boolean {
  const code: DenyCode = 'STALE_MARKET_DATA'
  return detail === code || detail.startsWith(`${code} `)
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
