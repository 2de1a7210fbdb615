import { z } from 'zod'
import { listPageMax } from '#core/job/limits.ts'
import {
  type LimitStore,
  limitChangeSchema,
  limitDocumentSchema,
} from '#core/order/desk/limit-store.ts'
import { moneySchema } from '#core/order/desk/money-text.ts'
import { limitDefaults, limitNames, limitScopes } from '#core/order/limits.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf } from '../context.ts'
import { placeParameter } from '../desk-parameters.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

const pageDefault = 50
/** Limits in one answer: some hundreds of KiB. */
const limitsMax = 2_000

const key = z.string().regex(/^[\x20-\x7e]{0,64}$/, 'Expected up to 64 printable ASCII characters')
const value = z.string().nullable()
const filter = { scope: z.enum(limitScopes).optional(), key: key.optional() }

/** Limits of the checks in front of every order, for operators. */
export function tradingLimitRoutes({ limits }: { readonly limits: LimitStore }): readonly Route[] {
  return [listRoute(limits), changesRoute(limits), putRoute(limits)]
}

function listRoute(limits: LimitStore): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/trading/limits',
    zone: 'internal',
    scope: 'trading:read',
    operationId: 'list-trading-limits',
    summary: 'Limits that differ from the defaults, and the defaults',
    query: z.strictObject({
      ...filter,
      limit: integerParameter(1, limitsMax).default(limitsMax),
    }),
    answers: {
      200: {
        description: 'The limits',
        schema: z.strictObject({
          limits: z.array(limitDocumentSchema),
          defaults: z.record(z.string(), z.string()),
        }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c, { query }) {
      const found = await limits.list({ scope: query.scope, key: query.key, limit: query.limit })
      return answer(c, 200, { limits: found, defaults: limitDefaults })
    },
  })
}

function changesRoute(limits: LimitStore): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/trading/limits/changes',
    zone: 'internal',
    scope: 'trading:read',
    operationId: 'list-trading-limit-changes',
    summary: 'Who changed which limit, newest first',
    query: z.strictObject({
      ...filter,
      limit: integerParameter(1, listPageMax).default(pageDefault),
      cursor: placeParameter,
    }),
    answers: {
      200: {
        description: 'A page of changes',
        schema: z.strictObject({
          changes: z.array(limitChangeSchema),
          next: z.string().optional(),
        }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c, { query }) {
      const { scope, limit, cursor } = query
      return answer(c, 200, await limits.changes({ scope, key: query.key, limit, cursor }))
    },
  })
}

const limitBody = z.strictObject({
  scope: z.enum(limitScopes),
  key: key.default(''),
  name: z.enum(limitNames),
  value: moneySchema.nullable().meta({ description: 'null: back to the default' }),
})

function putRoute(limits: LimitStore): Route {
  return defineRoute({
    method: 'PUT',
    path: '/internal/trading/limits',
    zone: 'internal',
    scope: 'trading:admin',
    operationId: 'put-trading-limit',
    summary: 'Set a limit, or take it back',
    description:
      'Of the limits set for an order the smallest counts, else the default. Holds for orders decided from then on.',
    body: jsonBody(limitBody, {
      example: { scope: 'account', key: 'paper', name: 'notional_max', value: '50000' },
    }),
    answers: {
      200: {
        description: 'The limit and what it was before; null is the default',
        schema: z.strictObject({ previous: value, value }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c, { body }) {
      const setting = { ...body, value: body.value ?? undefined }
      const changed = await limits.put(setting, callerOf(c))
      return answer(c, 200, { previous: changed.previous ?? null, value: changed.value ?? null })
    },
  })
}
