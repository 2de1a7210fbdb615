import { z } from 'zod'
import type { AccessControl } from '#core/access/access-control.ts'
import { listPageMax, waitSecondsMax } from '#core/job/limits.ts'
import { type FillReads, fillSchema } from '#core/order/desk/fill-reads.ts'
import { type OrderReads, orderEventSchema, orderNotFound } from '#core/order/desk/order-reads.ts'
import { orderStatuses } from '#core/order/order.ts'
import { orderDocumentSchema } from '#core/order/order-document.ts'
import { answer } from '../answer.ts'
import type { GatewayContext } from '../context.ts'
import { accountParameter } from '../desk-parameters.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'
import { type Seats, seats } from '../seats.ts'
import { orderParams, symbolSchema } from './orders.ts'

const pageDefault = 50
const eventsMax = 1_000
const fillsMax = 1_000
const cursorCharactersMax = 4_096
/** Requests that may wait at once, each at the cost of up to twenty small queries a second. */
const waits = { total: 200, perSubject: 50 }
/** Seconds beyond the wait until the listener may cut the silent connection. */
const idleSlackSeconds = 15

export type OrderReadDependencies = {
  readonly orders: OrderReads
  readonly fills: FillReads
  readonly access: Pick<AccessControl, 'authenticate'>
  /** Ends waits, so that a listener can stop. */
  readonly closing: AbortSignal
}

/** Orders, their events and fills, of the accounts that the token may trade. */
export function orderReadRoutes(deps: OrderReadDependencies): readonly Route[] {
  return [
    listRoute(deps),
    findRoute(deps, seats(waits)),
    eventsRoute(deps),
    fillsRoute(deps),
    recentFillsRoute(deps),
  ]
}

function listRoute({ orders }: OrderReadDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/orders',
    zone: 'v1',
    scope: 'orders:read',
    operationId: 'list-orders',
    summary: 'Orders, newest first',
    description: '`next` is the `cursor` of the following page; it is absent on the last one.',
    query: z.strictObject({
      account: accountParameter,
      status: z.enum(orderStatuses).optional(),
      symbol: symbolSchema.optional(),
      open: z.enum(['true', 'false']).optional(),
      limit: integerParameter(1, listPageMax).default(pageDefault),
      cursor: z.uuid().optional(),
    }),
    answers: {
      200: {
        description: 'A page of orders',
        schema: z.strictObject({
          orders: z.array(orderDocumentSchema),
          next: z.string().optional(),
        }),
      },
    },
    refusals: ['account.not_found', 'database.unavailable'],
    async handle(c, { query: { account, status, symbol, open, limit, cursor } }) {
      const isOpen = open === undefined ? undefined : open === 'true'
      const filter = { account, status, symbol, isOpen, limit, cursor }
      return answer(c, 200, await orders.list(c.get('principal'), filter))
    },
  })
}

function findRoute({ orders, access, closing }: OrderReadDependencies, places: Seats): Route {
  async function wait(c: GatewayContext, id: string, seconds: number) {
    const principal = c.get('principal')
    const leave = places.take(c)
    try {
      c.env.setIdleSeconds(seconds + idleSlackSeconds)
      const signal = AbortSignal.any([closing, c.req.raw.signal])
      const order = await orders.find(principal, id, { timeoutMs: seconds * 1_000, signal })
      // The token may have been revoked while its request waited.
      await access.authenticate(c.req.header('authorization'))
      return order
    } finally {
      leave()
    }
  }

  return defineRoute({
    method: 'GET',
    path: '/v1/orders/:id',
    zone: 'v1',
    scope: 'orders:read',
    operationId: 'get-order',
    summary: 'An order, at once or when it is decided',
    description:
      'With `wait` the answer comes when the order is no longer `received`, `accepted` or `pending_new`, or after that many seconds with the order as it stands.',
    params: orderParams,
    query: z.strictObject({ wait: integerParameter(0, waitSecondsMax).default(0) }),
    answers: { 200: { description: 'The order', schema: orderDocumentSchema } },
    refusals: ['order.not_found', 'gateway.overloaded', 'database.unavailable'],
    async handle(c, { params, query }) {
      const id = uuidOf(params.id)
      const order =
        query.wait === 0 ? await orders.find(c.get('principal'), id) : await wait(c, id, query.wait)
      return answer(c, 200, order)
    },
  })
}

function eventsRoute({ orders }: OrderReadDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/orders/:id/events',
    zone: 'v1',
    scope: 'orders:read',
    operationId: 'list-order-events',
    summary: "An order's events, oldest first",
    description: 'The order is the fold of its events. `from` is the `seq` to begin with.',
    params: orderParams,
    query: z.strictObject({
      from: integerParameter(0, 999_999_999).default(0),
      limit: integerParameter(1, eventsMax).default(eventsMax),
    }),
    answers: {
      200: {
        description: 'A page of events',
        schema: z.strictObject({ events: z.array(orderEventSchema) }),
      },
    },
    refusals: ['order.not_found', 'database.unavailable'],
    async handle(c, { params, query }) {
      const events = await orders.events(c.get('principal'), uuidOf(params.id), query)
      return answer(c, 200, { events })
    },
  })
}

function fillsRoute({ fills }: OrderReadDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/fills',
    zone: 'v1',
    scope: 'orders:read',
    operationId: 'list-fills',
    summary: 'Fills, in the order in which they were booked',
    description:
      '`next` is the `cursor` of the following page; it is absent on the last one. `resume` is the cursor behind the last fill shown: asked with it again, the list goes on with what was booked since. A fill that is corrected keeps its place.',
    query: z.strictObject({
      account: accountParameter,
      symbol: symbolSchema.optional(),
      order_id: z.uuid().optional(),
      limit: integerParameter(1, fillsMax).default(pageDefault),
      cursor: z.string().max(cursorCharactersMax).optional(),
    }),
    answers: {
      200: {
        description: 'A page of fills',
        schema: z.strictObject({
          fills: z.array(fillSchema),
          next: z.string().optional(),
          resume: z.string().optional(),
        }),
      },
    },
    refusals: ['account.not_found', 'database.unavailable'],
    async handle(c, { query: { account, symbol, order_id: orderId, limit, cursor } }) {
      const filter = { account, symbol, orderId, limit, cursor }
      return answer(c, 200, await fills.list(c.get('principal'), filter))
    },
  })
}

function recentFillsRoute({ fills }: OrderReadDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/fills/recent',
    zone: 'v1',
    scope: 'orders:read',
    operationId: 'list-recent-fills',
    summary: 'The last fills, newest first',
    query: z.strictObject({
      account: accountParameter,
      limit: integerParameter(1, fillsMax).default(pageDefault),
    }),
    answers: {
      200: {
        description: 'The last fills',
        schema: z.strictObject({ fills: z.array(fillSchema) }),
      },
    },
    refusals: ['account.not_found', 'database.unavailable'],
    async handle(c, { query: { account, limit } }) {
      const recent = await fills.recent(c.get('principal'), { account, limit })
      return answer(c, 200, { fills: recent })
    },
  })
}

/** Any text may be asked for; only an id can be one of ours. */
function uuidOf(text: string): string {
  if (z.uuid().safeParse(text).success) return text.toLowerCase()
  throw orderNotFound()
}
