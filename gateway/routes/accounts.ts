import { z } from 'zod'
import { subjectOf } from '#core/access/principal.ts'
import { listPageMax } from '#core/job/limits.ts'
import { type AccountReads, accountDocumentSchema } from '#core/order/desk/account-reads.ts'
import {
  type AccountSettings,
  type AccountStore,
  accountSettingsSchema,
  accountVenues,
} from '#core/order/desk/account-store.ts'
import { marketClocks } from '#core/order/desk/desk-view.ts'
import { moneySchema } from '#core/order/desk/money-text.ts'
import { paperSettingsSchema } from '#core/order/venue/paper-settings.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf } from '../context.ts'
import { accountIdPattern, accountParameter } from '../desk-parameters.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

const pageDefault = 50
/** All of them stand in one audit record when they change. */
const tradersMax = 50

export type AccountDependencies = {
  readonly account: AccountReads
  readonly accounts: AccountStore
}

/** An account as its traders see it, and as operators set it. */
export function accountRoutes({ account, accounts }: AccountDependencies): readonly Route[] {
  return [readRoute(account), listRoute(accounts), putRoute(accounts)]
}

function readRoute(account: AccountReads): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/account',
    zone: 'v1',
    scope: 'orders:read',
    operationId: 'get-account',
    summary: 'Cash, buying power and state of an account',
    query: z.strictObject({ account: accountParameter }),
    answers: { 200: { description: 'The account', schema: accountDocumentSchema } },
    refusals: ['account.not_found', 'database.unavailable'],
    async handle(c, { query }) {
      return answer(c, 200, await account.find(c.get('principal'), query.account))
    },
  })
}

function listRoute(accounts: AccountStore): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/trading/accounts',
    zone: 'internal',
    scope: 'trading:read',
    operationId: 'list-trading-accounts',
    summary: 'Accounts, with who may trade them',
    query: z.strictObject({
      limit: integerParameter(1, listPageMax).default(pageDefault),
      cursor: accountParameter,
    }),
    answers: {
      200: {
        description: 'A page of accounts',
        schema: z.strictObject({
          accounts: z.array(accountSettingsSchema),
          next: z.string().optional(),
        }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c, { query: { limit, cursor } }) {
      return answer(c, 200, await accounts.list({ limit, cursor }))
    },
  })
}

/** As in the access file: no white space, so that `issuer subject` is one of them only. */
const name = z.string().regex(/^\S{1,256}$/, 'Expected 1 to 256 characters without white space')

const accountBody = z.strictObject({
  venue: z.enum(accountVenues),
  clock: z.enum(marketClocks),
  starting_cash: moneySchema.optional().meta({ description: 'Needed for a new account; stays' }),
  is_short_allowed: z.boolean().default(false),
  traders: z
    .array(z.strictObject({ issuer: name, subject: name }))
    .max(tradersMax)
    .refine(isUnique, 'names one of them twice'),
  paper: paperSettingsSchema.default({}),
})

function isUnique(traders: readonly { readonly issuer: string; readonly subject: string }[]) {
  return new Set(traders.map(subjectOf)).size === traders.length
}

function putRoute(accounts: AccountStore): Route {
  return defineRoute({
    method: 'PUT',
    path: '/internal/trading/accounts/:id',
    zone: 'internal',
    scope: 'trading:admin',
    operationId: 'put-trading-account',
    summary: 'Make or change an account',
    description:
      'The body is the whole: traders that it does not name may no longer trade. `starting_cash` never changes; venue and clock do not once the account has had orders.',
    params: z.strictObject({
      id: z.string().regex(accountIdPattern, 'Expected such as paper-1: a to z, 0 to 9 and -'),
    }),
    body: jsonBody(accountBody, {
      example: {
        venue: 'paper',
        clock: 'live',
        starting_cash: '100000',
        traders: [{ issuer: 'https://issuer.example', subject: 'desk' }],
      },
    }),
    answers: {
      200: { description: 'Changed', schema: accountSettingsSchema },
      201: { description: 'Made', schema: accountSettingsSchema },
    },
    refusals: ['audit.record_too_large', 'database.unavailable'],
    async handle(c, { params, body }) {
      const settings: AccountSettings = {
        venue: body.venue,
        clock: body.clock,
        startingCash: body.starting_cash,
        isShortAllowed: body.is_short_allowed,
        traders: body.traders,
        paper: body.paper,
      }
      const { isNew, account } = await accounts.put(params.id, settings, callerOf(c))
      return answer(c, isNew ? 201 : 200, account)
    },
  })
}
