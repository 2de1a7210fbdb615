import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { amountSchema, type Price, parseAmount } from '#core/order/amount.ts'
import type { AccountDirectory, AccountOfOrder } from '#core/order/desk/account-directory.ts'
import { type OrderIntake, ordersPerCommit } from '#core/order/desk/order-intake.ts'
import type { OrderRequests } from '#core/order/desk/order-requests.ts'
import { type OrderTerms, orderTypes, sides, timesInForce } from '#core/order/order.ts'
import { orderDocumentSchema, replaceAnswerSchema } from '#core/order/order-document.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf, type GatewayContext } from '../context.ts'
import { idempotencyOf } from '../job-request.ts'
import { type MessageRate, messageRate } from '../message-rate.ts'
import { defineRoute, type HeaderDeclaration, type Route } from '../route.ts'

export const symbolSchema = z
  .string()
  .regex(/^[A-Z0-9.^_-]{1,16}$/, 'Expected a symbol such as AAPL')
/** Alpaca's documentation of 2025 allows 48. */
const clientOrderId = z
  .string()
  .regex(/^[\x21-\x7e]{1,48}$/, 'Expected 1 to 48 printable ASCII characters without space')
const accountId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'Expected an account such as paper')
const strategy = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'Expected a short name')

const orderMembers = z.strictObject({
  account: accountId
    .optional()
    .meta({ description: 'Where the token may trade only one account, that one' }),
  client_order_id: clientOrderId.optional(),
  symbol: symbolSchema,
  side: z.enum(sides),
  quantity: amountSchema,
  order_type: z
    .enum([...orderTypes, 'ioc'])
    .meta({ description: '`ioc` is short for a time in force, with or without a limit' }),
  limit_price: amountSchema.optional(),
  stop_price: amountSchema.optional(),
  time_in_force: z.enum(timesInForce).optional(),
  expire_at: z.iso.datetime().optional().meta({ description: 'With time_in_force gtd' }),
  strategy: strategy.optional(),
  reduce_only: z.boolean().optional(),
})

const orderBody = orderMembers.superRefine((body, context) => {
  for (const { member, fault } of orderFaults(body)) {
    context.addIssue({ code: 'custom', path: [member], message: fault })
  }
})
type OrderBody = z.infer<typeof orderBody>

type Fault = { readonly member: string; readonly fault: string }

/** What a schema of single members cannot say. */
function orderFaults(body: z.infer<typeof orderMembers>): readonly Fault[] {
  const { order_type: type, time_in_force: timeInForce } = body
  const isIoc = type === 'ioc'
  const needsLimit = type === 'limit' || type === 'stop_limit'
  const needsStop = type === 'stop' || type === 'stop_limit'
  const checks: readonly (readonly [boolean, string, string])[] = [
    [parseAmount(body.quantity) === 0n, 'quantity', 'must be above 0'],
    [needsLimit && body.limit_price === undefined, 'limit_price', `missing for ${type}`],
    [!needsLimit && !isIoc && body.limit_price !== undefined, 'limit_price', `not with ${type}`],
    [body.limit_price === '0', 'limit_price', 'must be above 0'],
    [needsStop && body.stop_price === undefined, 'stop_price', `missing for ${type}`],
    [!needsStop && body.stop_price !== undefined, 'stop_price', `not with ${type}`],
    [body.stop_price === '0', 'stop_price', 'must be above 0'],
    [isIoc && (timeInForce ?? 'ioc') !== 'ioc', 'time_in_force', 'contradicts order_type ioc'],
    [
      (timeInForce === 'gtd') !== (body.expire_at !== undefined),
      'expire_at',
      'belongs to time_in_force gtd, and to no other',
    ],
  ]
  return checks.flatMap(([isFault, member, fault]) => (isFault ? [{ member, fault }] : []))
}

const patchBody = z
  .strictObject({
    quantity: amountSchema.optional().meta({ description: 'The whole, what is filled included' }),
    limit_price: amountSchema.optional(),
    stop_price: amountSchema.optional(),
    time_in_force: z.enum(timesInForce).optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')

const requestHeaders: readonly HeaderDeclaration[] = [
  {
    name: 'Idempotency-Key',
    description:
      'The same key and body get the first answer again. Needed without client_order_id.',
    example: '"5d1f6c0e-0b0a-4a51-8f60-3f1b7f6a9c11"',
  },
]

/** Any text: what is no order's id names none. */
export const orderParams = z.strictObject({ id: z.string().max(128) })

export type OrderRouteDependencies = {
  readonly intake: OrderIntake
  readonly requests: OrderRequests
  readonly directory: AccountDirectory
  readonly liveGateways: () => number
  readonly now: () => Date
}

/** Orders are placed, changed and cancelled here; what became of them is read elsewhere. */
export function orderRoutes(deps: OrderRouteDependencies): readonly Route[] {
  const rate = messageRate(deps)
  return [placeRoute(deps, rate), replaceRoute(deps, rate), cancelRoute(deps, rate)]
}

function placeRoute({ intake, directory }: OrderRouteDependencies, rate: MessageRate): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/orders',
    zone: 'v1',
    scope: 'orders:write',
    operationId: 'place-order',
    sharedCommit: ordersPerCommit,
    summary: 'Place an order',
    description:
      'A denial is an order too: 201 with `status: denied`, `reject_code` and every reason in `reject_details`. An order that was accepted is durable when the answer arrives and is on its way to its venue.',
    headers: requestHeaders,
    body: jsonBody(orderBody, {
      example: {
        symbol: 'AAPL',
        side: 'buy',
        quantity: '10',
        order_type: 'limit',
        limit_price: '189.5',
      },
    }),
    answers: {
      201: {
        description: 'The order, accepted, held or denied',
        schema: orderDocumentSchema,
        headers: [
          { name: 'Location', description: 'Where the order is' },
          { name: 'Idempotent-Replayed', description: '`true` for a repeated request' },
        ],
      },
    },
    refusals: [
      'order.key_required',
      'order.client_id_taken',
      'order.rate_limited',
      'account.not_authorized',
      'trading.halted',
      'idempotency.key_invalid',
      'idempotency.mismatch',
      'gateway.overloaded',
      'database.unavailable',
    ],
    async handle(c, { body }) {
      const idempotency = idempotencyOf(c, body)
      if (idempotency === undefined && body.client_order_id === undefined) {
        throw new PosternError('order.key_required', {
          detail:
            'Send an Idempotency-Key header or a client_order_id, so that a retry is no second order.',
        })
      }
      const caller = callerOf(c)
      // Before its rate is spent, which is no stranger's to spend.
      const account = await directory.tradedAccount(caller.principal, body.account)
      rate.spend(account, 'place')
      const terms = termsOf(body, account.id)
      const { order, replayed } = await intake.enter({ terms, idempotency, caller })
      c.header('location', `/v1/orders/${order.id}`)
      if (replayed) c.header('idempotent-replayed', 'true')
      return answer(c, 201, order)
    },
  })
}

function termsOf(body: OrderBody, account: string): OrderTerms {
  const id = Bun.randomUUIDv7()
  const isIoc = body.order_type === 'ioc'
  const iocType = body.limit_price === undefined ? 'market' : 'limit'
  const price = (text: string | undefined): Price | undefined =>
    text === undefined ? undefined : parseAmount(text)
  return {
    id,
    account,
    clientOrderId: body.client_order_id ?? id,
    symbol: body.symbol,
    side: body.side,
    type: body.order_type === 'ioc' ? iocType : body.order_type,
    timeInForce: isIoc ? 'ioc' : (body.time_in_force ?? 'day'),
    quantity: parseAmount(body.quantity),
    limitPrice: price(body.limit_price),
    stopPrice: price(body.stop_price),
    expireAt: body.expire_at === undefined ? undefined : Date.parse(body.expire_at),
    strategy: body.strategy,
    reduceOnly: body.reduce_only ?? false,
  }
}

function replaceRoute({ requests, directory }: OrderRouteDependencies, rate: MessageRate): Route {
  return defineRoute({
    method: 'PATCH',
    path: '/v1/orders/:id',
    zone: 'v1',
    scope: 'orders:write',
    operationId: 'replace-order',
    summary: 'Replace an order',
    description:
      'Asks the venue for a new order in place of this one; all checks run on it. The answer says whether it was asked for: the old order stays in force until `replaced`, and the new one is found under `order_id` from then on.',
    params: orderParams,
    body: jsonBody(patchBody),
    answers: { 200: { description: 'What was decided', schema: replaceAnswerSchema } },
    refusals: [
      'order.not_found',
      'order.transition_refused',
      'order.rate_limited',
      'trading.halted',
      'database.unavailable',
    ],
    async handle(c, { params, body }) {
      const id = uuidOf(params.id)
      await spendForOrder(c, { directory, rate, id })
      const patch = {
        ...(body.quantity === undefined ? {} : { quantity: parseAmount(body.quantity) }),
        ...(body.limit_price === undefined ? {} : { limitPrice: parseAmount(body.limit_price) }),
        ...(body.stop_price === undefined ? {} : { stopPrice: parseAmount(body.stop_price) }),
        ...(body.time_in_force === undefined ? {} : { timeInForce: body.time_in_force }),
      }
      return answer(c, 200, await requests.replace(id, patch, callerOf(c)))
    },
  })
}

function cancelRoute({ requests, directory }: OrderRouteDependencies, rate: MessageRate): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/v1/orders/:id',
    zone: 'v1',
    scope: 'orders:write',
    operationId: 'cancel-order',
    summary: 'Cancel an order',
    description:
      'The request is durable when 204 arrives. An order that was sent is cancelled when its venue says so: until then it may still fill. Passes while trading is halted.',
    params: orderParams,
    answers: { 204: { description: 'Cancelled, or asked for at the venue' } },
    refusals: [
      'order.not_found',
      'order.transition_refused',
      'order.rate_limited',
      'database.unavailable',
    ],
    async handle(c, { params }) {
      const id = uuidOf(params.id)
      const { id: account, status } = await spendForOrder(c, { directory, rate, id })
      await requests.cancel(id, callerOf(c), { account, status })
      return c.body(null, 204)
    },
  })
}

const isUuid = (text: string) => z.uuid().safeParse(text).success

function uuidOf(text: string): string {
  if (isUuid(text)) return text.toLowerCase()
  throw new PosternError('order.not_found')
}

/** Cancels and replacements have a rate of their own, so that orders never crowd them out. */
async function spendForOrder(
  c: GatewayContext,
  context: {
    readonly directory: AccountDirectory
    readonly rate: MessageRate
    readonly id: string
  },
): Promise<AccountOfOrder> {
  const { directory, rate } = context
  const account = await directory.accountOfOrder(context.id, c.get('principal'))
  rate.spend(account, 'change')
  return account
}
