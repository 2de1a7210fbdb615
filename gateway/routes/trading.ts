import { z } from 'zod'
import { listPageMax } from '#core/job/limits.ts'
import { tradingStates } from '#core/order/check-input.ts'
import type { TradingControl } from '#core/order/desk/trading-control.ts'
import {
  quarantineSchema,
  type TradingReads,
  tradingStateSchema,
} from '#core/order/desk/trading-reads.ts'
import { type SwitchName, switchScopes } from '#core/order/desk/trading-switch.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf } from '../context.ts'
import { accountIdPattern, accountParameter, placeParameter } from '../desk-parameters.ts'
import { instantParameter, integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'
import { symbolSchema } from './orders.ts'

const pageDefault = 50
/** Of a person's words, which stand in every refusal. */
const reasonCharactersMax = 500

export type TradingDependencies = {
  readonly control: TradingControl
  readonly trading: TradingReads
  readonly now: () => Date
}

/** The kill switch, for operators. */
export function tradingRoutes(deps: TradingDependencies): readonly Route[] {
  return [stateRoute(deps), quarantineRoute(deps), haltRoute(deps), rearmRoute(deps)]
}

function stateRoute({ trading, now }: TradingDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/trading/state',
    zone: 'internal',
    scope: 'trading:read',
    operationId: 'get-trading-state',
    summary: 'Switches that are not ACTIVE, and the breaker of each market',
    answers: { 200: { description: 'The state', schema: tradingStateSchema } },
    refusals: ['database.unavailable'],
    handle: async (c) => answer(c, 200, await trading.state(now())),
  })
}

function quarantineRoute({ trading }: TradingDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/trading/quarantine',
    zone: 'internal',
    scope: 'trading:read',
    operationId: 'list-quarantined-reports',
    summary: 'What venues told that cannot be, newest first',
    query: z.strictObject({
      account: accountParameter,
      limit: integerParameter(1, listPageMax).default(pageDefault),
      cursor: placeParameter,
    }),
    answers: {
      200: {
        description: 'A page of reports',
        schema: z.strictObject({
          quarantined: z.array(quarantineSchema),
          next: z.string().optional(),
        }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c, { query: { account, limit, cursor } }) {
      return answer(c, 200, await trading.quarantine({ account, limit, cursor }))
    },
  })
}

const reason = z.string().trim().min(1).max(reasonCharactersMax)
const switchBody = z.strictObject({
  scope: z.enum(switchScopes),
  key: z.string().optional().meta({ description: 'Which one; none for global' }),
  reason,
})

const keyPatterns = {
  account: accountIdPattern,
  strategy: /^[A-Za-z0-9._-]{1,64}$/,
} as const

type SwitchBody = Pick<z.infer<typeof switchBody>, 'scope' | 'key'>

function isKey({ scope, key }: SwitchBody): boolean {
  if (scope === 'global') return key === undefined || key === ''
  if (key === undefined) return false
  return scope === 'symbol' ? symbolSchema.safeParse(key).success : keyPatterns[scope].test(key)
}

const keyRule = {
  path: ['key'],
  error: 'names an account, strategy or symbol as the scope says; global has none',
}

function switchOf({ scope, key = '' }: SwitchBody): SwitchName {
  return { scope, key }
}

function haltBodyOf(now: () => Date) {
  return switchBody
    .extend({
      state: z.enum(['HALTED', 'REDUCING']).default('HALTED'),
      until: instantParameter
        .refine((text) => Date.parse(text) > now().getTime(), 'is over already')
        .optional()
        .meta({ description: 'When the switch becomes ACTIVE by itself; without it: never' }),
    })
    .refine(isKey, keyRule)
}

function haltRoute({ control, now }: TradingDependencies): Route {
  return defineRoute({
    method: 'POST',
    path: '/internal/trading/halt',
    zone: 'internal',
    scope: 'trading:halt',
    operationId: 'halt-trading',
    summary: 'Stop trading, and cancel what is open',
    description:
      'With HALTED (the default) nothing is accepted or sent, and open orders are cancelled; with REDUCING only what makes a position smaller passes. Never makes a switch less strict: HALTED stays HALTED, and the later `until` counts. `canceling` orders may fill until their venue answers; `left` ones are cancelled by the workers.',
    body: jsonBody(haltBodyOf(now), { example: { scope: 'global', reason: 'prices look wrong' } }),
    answers: {
      200: {
        description: 'The switch is set',
        schema: z.strictObject({
          state: z.enum(tradingStates),
          canceled: z.int(),
          canceling: z.int(),
          left: z.int(),
        }),
      },
    },
    refusals: ['account.not_found', 'database.unavailable'],
    async handle(c, { body }) {
      const until = body.until === undefined ? undefined : new Date(body.until)
      const request = { ...switchOf(body), state: body.state, reason: body.reason, until }
      return answer(c, 200, await control.halt(request, callerOf(c)))
    },
  })
}

const rearmAnswer = z.strictObject({ status: z.enum(['active', 'awaiting_second']) })

function rearmRoute({ control }: TradingDependencies): Route {
  return defineRoute({
    method: 'POST',
    path: '/internal/trading/rearm',
    zone: 'internal',
    scope: 'trading:rearm',
    operationId: 'rearm-trading',
    summary: 'Let trading go on',
    description:
      'Leaving HALTED takes two principals who differ; who halted may be one of them. A new halt in between undoes the word of the first. Leaving REDUCING takes one. An account that its drawdown had halted starts anew from what it is worth.',
    body: jsonBody(switchBody.refine(isKey, keyRule), {
      example: { scope: 'global', reason: 'feed is back' },
    }),
    answers: {
      200: { description: 'ACTIVE', schema: rearmAnswer },
      202: { description: 'Waits for a second principal', schema: rearmAnswer },
    },
    refusals: ['account.not_found', 'trading.second_principal_needed', 'database.unavailable'],
    async handle(c, { body }) {
      const request = { ...switchOf(body), reason: body.reason }
      const rearmed = await control.rearm(request, callerOf(c))
      return answer(c, rearmed.status === 'active' ? 200 : 202, rearmed)
    },
  })
}
