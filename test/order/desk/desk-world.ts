import type { Sql } from 'postgres'
import type { Caller } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import { parseAmount } from '#core/order/amount.ts'
import type { DeskConnection } from '#core/order/desk/desk-transaction.ts'
import { type IntentIntake, intentIntake } from '#core/order/desk/intent-intake.ts'
import { marketReader } from '#core/order/desk/market-snapshot.ts'
import { type OrderIntake, orderIntake } from '#core/order/desk/order-intake.ts'
import { orderRequests } from '#core/order/desk/order-requests.ts'
import { type ReportIntake, reportIntake } from '#core/order/desk/report-intake.ts'
import { advanceOrdersPayload } from '#core/order/kinds.ts'
import type { OrderTerms, ReplacePatch } from '#core/order/order.ts'
import type { OrderDocument } from '#core/order/order-document.ts'
import type { Venue, VenueReport } from '#core/order/venue.ts'
import { advanceOrders } from '#workers/advance-orders.ts'
import { orderTerms as dayOrderTerms } from '../venue/order-terms.ts'
import { openDeskDatabase } from './desk-database.ts'
import {
  account,
  addAccount,
  addInstrument,
  clearDesk,
  noonMs,
  orderRow,
  trader,
} from './desk-rows.ts'

export const orderTerms = dayOrderTerms

type PlaceOptions = { readonly key?: string; readonly body?: string; readonly by?: Caller }

/** A desk on the logins of its processes, and its moves as tests make them. */
export async function openDeskWorld() {
  const { gateway, worker, ...database } = await openDeskDatabase()
  const { url, sql, sent, poolAt, dispatch, journal } = database
  const clock = { nowMs: noonMs }
  const now = () => new Date(clock.nowMs)
  const readMarket = marketReader(now)
  const deskOn = (on: Sql) => ({ sql: on, journal, dispatch, now, readMarket })
  const [desk, workerDesk] = [deskOn(gateway), deskOn(worker)]
  const intake = orderIntake(desk)
  const requests = orderRequests(desk)
  const intents = intentIntake(workerDesk)
  const reports = reportIntake(workerDesk)

  /** Commits the intent to send an order. */
  async function intend(id: string, of = account): Promise<void> {
    await intents.intend({ venue: 'paper', orders: [{ account: of, id }] })
  }

  return {
    ...{ url, sql, clock, now, sent, desk, workerDesk, deskOn, poolAt },
    ...{ intake, requests, reports, intend, placeIn },
    /** Another gateway: its own memory, its own connections. */
    otherIntake: () => orderIntake(deskOn(poolAt(url, 'postern_gateway'))),
    place: (change: Partial<OrderTerms> = {}, options: PlaceOptions = {}) =>
      placeIn(intake, change, options),
    /** An order that its venue has acknowledged as `venue-<its id>`. */
    async live(change: Partial<OrderTerms> = {}): Promise<OrderDocument> {
      const order = await placeIn(intake, change, {})
      await intend(order.id)
      const event = { type: 'ack', venueOrderId: `venue-${order.id}` } as const
      await reports.apply({ account, clientOrderId: order.client_order_id, event })
      sent.length = 0
      return order
    },
    statusOf: async ({ id }: Pick<OrderDocument, 'id'>) => (await orderRow(sql, id))?.['status'],
    /** Asks to replace an order; the client order id of its successor. */
    async replace(id: string, patch: ReplacePatch): Promise<string> {
      const { replacement } = await requests.replace(id, patch, trader)
      if (replacement.status !== 'pending') throw new Error(replacement.reject_code)
      return replacement.order_id
    },
    /** Applied one after another, each with a commit of its own. */
    async report(...told: readonly VenueReport[]) {
      for (const one of told) await reports.apply(one)
    },
    advance: (venue: Venue, ids: readonly string[]) =>
      advance({ workerDesk, intents, reports, venue }, ids),
    /** Takes every job that was dispatched, those that fail again with the next call. */
    async runJobs(venue: Venue) {
      for (const { payload } of sent.splice(0)) {
        const { orders } = advanceOrdersPayload.parse(payload)
        const ids = orders.map(({ id }) => id)
        await advance({ workerDesk, intents, reports, venue }, ids)
      }
    },
    /** Buys so many AAPL at 100, filled at once. */
    async own(quantity: string): Promise<void> {
      const { id, client_order_id } = await placeIn(
        intake,
        { quantity: parseAmount(quantity), timeInForce: 'gtc' },
        {},
      )
      await intend(id)
      await reports.apply(tradeReport(client_order_id, `own-${id}`, quantity))
      sent.length = 0
    },
    async clear() {
      sent.length = 0
      clock.nowMs = noonMs
      await clearDesk(sql)
      await sql`update postern_market set index_symbol = null`
      await addInstrument(sql, 'AAPL')
      await addAccount(sql)
    },
    close: database.close,
  }
}
export type DeskWorld = Awaited<ReturnType<typeof openDeskWorld>>

async function placeIn(
  intake: OrderIntake,
  change: Partial<OrderTerms>,
  { key, body = 'body', by = trader }: PlaceOptions = {},
): Promise<OrderDocument & { readonly replayed: boolean }> {
  const fingerprint = new Bun.CryptoHasher('sha256').update(body).digest('hex')
  const idempotency =
    key === undefined ? undefined : { method: 'POST', route: '/v1/orders', key, fingerprint }
  const { order, replayed } = await intake.enter({
    terms: dayOrderTerms(change),
    idempotency,
    caller: by,
  })
  return { ...order, replayed }
}

type Advancing = {
  readonly workerDesk: DeskConnection
  readonly intents: IntentIntake
  readonly reports: ReportIntake
  readonly venue: Venue
}

/** One run of the job that takes orders to their venue. */
export async function advance(
  { workerDesk, intents, reports, venue }: Advancing,
  ids: readonly string[],
) {
  const venues = new Map([['paper', venue]])
  const { process } = advanceOrders({ desk: workerDesk, intents, reports, venues })
  const attempt = { jobId: Bun.randomUUIDv7(), attempt: 1, attemptsMax: 60, requestId: 'r' }
  const payload = { venue: 'paper', orders: ids.map((id) => ({ account, id })) }
  const work = await process(
    { ...attempt, payload, traceparent: undefined },
    new AbortController().signal,
  )
  return work.result
}

/** What became of a request: `entered`, or the code of its refusal. */
export async function fate(request: Promise<unknown>): Promise<string | undefined> {
  try {
    await request
    return 'entered'
  } catch (error) {
    return error instanceof PosternError ? error.code : undefined
  }
}

export function tradeReport(
  clientOrderId: string,
  tradeId: string,
  quantity: string,
  change: { readonly price?: string; readonly at?: number } = {},
): VenueReport {
  const { price = '100', at = noonMs } = change
  const trade = { tradeId, quantity: parseAmount(quantity), price: parseAmount(price), fee: 0n, at }
  return { account, clientOrderId, event: { type: 'trade', trade } }
}
