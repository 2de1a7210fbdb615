import { z } from 'zod'
import type { PnlReads } from '#core/order/desk/pnl-reads.ts'
import type { PnlQuery } from '#core/order/desk/pnl-rows.ts'
import { costMethods } from '#core/order/pnl.ts'
import { answer } from '../answer.ts'
import { accountParameter, dayParameter } from '../desk-parameters.ts'
import { defineRoute, type Route } from '../route.ts'

/** Without `start_date`: days with fills that the range goes back. */
const pnlDaysDefault = 30
/** A year of trading days: fewer say little about a ratio. */
const performanceDaysDefault = 252

const money = z.string().nullable()
const figures = {
  realised: z.string().meta({ description: 'Before fees' }),
  fees: z.string(),
  unrealised: money.meta({ description: 'At the end; null: something held has no price' }),
  unrealised_change: money,
  total: money.meta({ description: 'realised + unrealised_change - fees: the change of equity' }),
}

const pnlSchema = z.strictObject({
  method: z.enum(costMethods),
  accounts: z.array(z.string()),
  start_date: z.string(),
  end_date: z.string(),
  ...figures,
  days: z.array(
    z.strictObject({
      date: z.string(),
      ...figures,
      equity: money,
      unmarked: z.array(z.string()).meta({ description: 'Symbols held without a price' }),
    }),
  ),
})
pnlSchema.register(z.globalRegistry, { title: 'PnlReport' })

const ratio = z.number().nullable()

const performanceSchema = z.strictObject({
  accounts: z.array(z.string()),
  start_date: z.string(),
  end_date: z.string(),
  periods_per_year: z.int(),
  days: z.int(),
  wins: z.int(),
  losses: z.int(),
  start_equity: money,
  end_equity: money,
  total_return: ratio,
  cagr: ratio,
  volatility: ratio,
  sharpe: ratio,
  sharpe_se: ratio,
  psr: ratio,
  downside_deviation: ratio,
  sortino: ratio,
  max_drawdown: ratio,
  calmar: ratio,
  ulcer_index: ratio,
  recovery_days_max: ratio,
  underwater_days: ratio,
  win_rate: ratio.meta({ description: 'Of the days that realised something' }),
  win_loss_ratio: ratio,
  profit_factor: ratio,
  reasons: z
    .array(z.strictObject({ metric: z.string(), code: z.string(), detail: z.string().optional() }))
    .meta({ description: 'Why a figure is null' }),
})
performanceSchema.register(z.globalRegistry, { title: 'Performance' })

const rangeQuery = z.strictObject({
  account: accountParameter,
  start_date: dayParameter.optional(),
  end_date: dayParameter.optional(),
  method: z.enum(costMethods).default('average'),
})

function queryOf(query: z.infer<typeof rangeQuery>, daysDefault: number): PnlQuery {
  const { account, start_date: start, end_date: end, method } = query
  return { account, start, end, method, daysDefault }
}

const rangeDescription =
  'Days are those of the exchange: every trading day of the range and each other day with fills. Without `start_date` the range begins with the last days that have fills; without `end_date` it ends today, by the clock of the accounts.'

/** Profit and loss, and what can be said about it. */
export function pnlRoutes({ pnl }: { readonly pnl: PnlReads }): readonly Route[] {
  return [
    reportRoute(pnl, { path: '/v1/pnl', operationId: 'get-pnl' }),
    reportRoute(pnl, { path: '/v1/analytics/pnl/daily', operationId: 'list-daily-pnl' }),
    performanceRoute(pnl),
  ]
}

function reportRoute(pnl: PnlReads, name: Pick<Route, 'path' | 'operationId'>): Route {
  return defineRoute({
    ...name,
    method: 'GET',
    zone: 'v1',
    scope: 'orders:read',
    priority: 'last',
    summary: 'Profit and loss, in all and by day',
    description: `${rangeDescription} A day is marked by the last bar that closed up to its end. By \`average\` cost, or by \`fifo\`, which folds every fill since the account began.`,
    query: rangeQuery,
    answers: { 200: { description: 'Profit and loss', schema: pnlSchema } },
    refusals: ['account.not_found', 'database.unavailable'],
    async handle(c, { query }) {
      return answer(c, 200, await pnl.report(c.get('principal'), queryOf(query, pnlDaysDefault)))
    },
  })
}

function performanceRoute(pnl: PnlReads): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/analytics/performance',
    zone: 'v1',
    scope: 'orders:read',
    priority: 'last',
    operationId: 'get-performance',
    summary: 'Return, risk and drawdown of the daily equity',
    description: `${rangeDescription} Ratios are fractions, annualised by \`periods_per_year\`; what cannot be said is null, and \`reasons\` say why.`,
    query: rangeQuery,
    answers: { 200: { description: 'The figures', schema: performanceSchema } },
    refusals: ['account.not_found', 'database.unavailable'],
    async handle(c, { query }) {
      const asked = queryOf(query, performanceDaysDefault)
      return answer(c, 200, await pnl.performance(c.get('principal'), asked))
    },
  })
}
