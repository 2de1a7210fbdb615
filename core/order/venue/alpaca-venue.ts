import { z } from 'zod'
import { invariant } from '../../invariant.ts'
import { moneyOf } from '../amount.ts'
import { venueCapabilities } from '../desk/venue-capabilities.ts'
import { sides } from '../order.ts'
import type { StreamHandlers, Venue, VenueFill, VenueReport } from '../venue.ts'
import { type AlpacaBook, alpacaBook, readBody } from './alpaca-book.ts'
import { alpacaChanges } from './alpaca-changes.ts'
import { type AlpacaCall, type AlpacaCredentials, alpacaHttp } from './alpaca-http.ts'
import { alpacaAmount, tradeIdOf } from './alpaca-order.ts'
import { type AlpacaReport, reportOfUpdate } from './alpaca-report.ts'
import { followAlpaca } from './alpaca-stream.ts'
import { deliverReports } from './report-delivery.ts'
import { requestBudget } from './request-budget.ts'
import type { VenueReads } from './venue-calls.ts'

/** What Alpaca serves a key, as documented in April 2025. */
const requestsPerMinuteDefault = 200
/** Of these so many are kept for cancels. */
const urgentRequests = 20
/** The most that a page of activities holds. */
const activitiesMax = 100

export const alpacaCapabilities: Venue['capabilities'] = {
  ...venueCapabilities('alpaca'),
  replace: true,
  shorting: true,
}

export type AlpacaVenueOptions = {
  /** The desk's account that trades here: one key, one account. */
  readonly account: string
  /** Such as `https://paper-api.alpaca.markets`; plain http only on loopback. */
  readonly baseUrl: string
  /** Asked when a connection opens, and again when the venue refuses what it gave. */
  readonly credentials: () => Promise<AlpacaCredentials>
  /** Milliseconds. */
  readonly now: () => number
  readonly requestsPerMinute?: number
  /** Milliseconds for one request. */
  readonly requestMsMax?: number
  /** Milliseconds without a byte after which the stream counts as cut. */
  readonly silenceMs?: number
}

/** One account at Alpaca, over its REST interface and its `trade_updates` stream. */
export function alpacaVenue(options: AlpacaVenueOptions): Venue {
  const { account, credentials, now } = options
  const baseUrl = checkedBaseUrl(options.baseUrl)
  const perMinute = options.requestsPerMinute ?? requestsPerMinuteDefault
  const urgentOnly = Math.min(urgentRequests, Math.floor(perMinute / 2))
  const budget = requestBudget({ perMinute, urgentOnly, now })
  const call = alpacaHttp({ ...options, baseUrl, budget })
  const book = alpacaBook(call)
  return {
    name: 'alpaca',
    capabilities: alpacaCapabilities,
    ...alpacaChanges({ call, book }, alpacaCapabilities),
    ...alpacaReads({ call, book, account }),
    async stream(handlers) {
      const url = `${baseUrl.replace(/^http/, 'ws')}/stream`
      const ended = new AbortController()
      const { signal } = ended
      const delivery = deliverReports<AlpacaReport>(
        async (report) => handlers.onReport(await completed(report, book)),
        signal,
      )
      const onUpdate = (data: unknown) => {
        const report = reportOfUpdate(data, account)
        if (report === 'unreadable') askToReconcile(handlers)
        else if (report !== 'nothing') delivery.tell(report)
      }
      const { onDisconnect, onReconnect } = handlers
      const following = await followAlpaca({
        ...{ url, credentials, onUpdate, onDisconnect, onReconnect, signal },
        ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
      })
      return {
        async close() {
          ended.abort()
          await following.ended
          await delivery.settled()
        },
      }
    },
  }
}

/** Keys go over this connection: only a test's own server may do without TLS. */
function checkedBaseUrl(text: string): string {
  const { protocol, hostname, origin } = new URL(text)
  const isLoopback = hostname === '127.0.0.1' || hostname === '[::1]' || hostname === 'localhost'
  invariant(protocol === 'https:' || (protocol === 'http:' && isLoopback), 'Alpaca over https')
  return origin
}

/** An update that cannot be read is one that was missed. */
function askToReconcile(handlers: StreamHandlers): void {
  handlers.onDisconnect()
  handlers.onReconnect()
}

async function completed(report: AlpacaReport, book: AlpacaBook): Promise<VenueReport> {
  const { account, clientOrderId, event } = report
  if (event.type !== 'replaced') return { account, clientOrderId, event }
  const successorClientOrderId = await book.clientOrderIdOf(event.venueOrderId)
  return { account, clientOrderId, event: { ...event, successorClientOrderId } }
}

const positionsSchema = z.array(
  z.object({ symbol: z.string(), qty: z.string(), side: z.enum(['long', 'short']) }),
)
const accountSchema = z.object({ cash: z.string().regex(/^-?\d{1,20}(?:\.\d+)?$/) })
const clockSchema = z.object({
  timestamp: z.string(),
  is_open: z.boolean(),
  next_open: z.string(),
  next_close: z.string(),
})
const activitySchema = z.object({
  id: z.string(),
  order_id: z.string(),
  symbol: z.string(),
  side: z.enum([...sides, 'sell_short']).transform((side) => (side === 'buy' ? side : 'sell')),
  qty: alpacaAmount,
  cum_qty: alpacaAmount,
  price: alpacaAmount,
  transaction_time: z.string(),
})

function alpacaReads(context: {
  readonly call: AlpacaCall
  readonly book: AlpacaBook
  readonly account: string
}): VenueReads {
  const { call, book } = context
  return {
    async findByClientOrderId(_account, id) {
      const order = await book.byClientOrderId(id)
      return order === undefined ? undefined : await book.viewOf(order)
    },
    async listOpen() {
      return await Promise.all((await book.open()).map((order) => book.viewOf(order)))
    },
    listFills: (_account, since) => alpacaFills(context, since),
    async positions() {
      const positions = await readBody(call, '/v2/positions', positionsSchema)
      return positions.map(({ symbol, qty, side }) => {
        const size = alpacaAmount.parse(qty.replace(/^-/, ''))
        return { symbol, quantity: side === 'short' ? -size : size }
      })
    },
    async account() {
      const { cash } = await readBody(call, '/v2/account', accountSchema)
      return { cash: moneyOf(cash) }
    },
    async clock() {
      const clock = await readBody(call, '/v2/clock', clockSchema)
      return {
        nowMs: Date.parse(clock.timestamp),
        isOpen: clock.is_open,
        nextOpenMs: Date.parse(clock.next_open),
        nextCloseMs: Date.parse(clock.next_close),
      }
    },
  }
}

async function* alpacaFills(
  { call, book, account }: Parameters<typeof alpacaReads>[0],
  since: string | undefined,
): AsyncGenerator<VenueFill> {
  let cursor = since
  for (;;) {
    const query = new URLSearchParams({ direction: 'asc', page_size: String(activitiesMax) })
    if (cursor !== undefined) query.set('page_token', cursor)
    const path = `/v2/account/activities/FILL?${query}`
    const page = await readBody(call, path, z.array(activitySchema))
    for (const fill of page) {
      cursor = fill.id
      const { symbol, side, qty: quantity, price } = fill
      const clientOrderId = await book.clientOrderIdOf(fill.order_id)
      const tradeId = tradeIdOf(fill.order_id, fill.cum_qty)
      const at = Date.parse(fill.transaction_time)
      const trade = { tradeId, quantity, price, fee: 0n, at }
      yield { account, clientOrderId, symbol, side, trade, cursor: fill.id }
    }
    if (page.length < activitiesMax) return
  }
}
