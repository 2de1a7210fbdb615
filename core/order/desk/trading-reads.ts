import type { Sql } from 'postgres'
import { z } from 'zod'
import { type MarketView, readMarkets } from '../../market/postgres-market-store.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { tradingStates } from '../check-input.ts'
import { marketClocks } from './desk-view.ts'
import { type NamedSwitch, switchRows } from './switch-rows.ts'
import { switchScopes } from './trading-switch.ts'

/** A switch for every symbol of a large market; what comes beyond is not shown. */
const switchesMax = 20_000

export const tradingStateSchema = z.object({
  switches: z
    .array(
      z.object({
        scope: z.enum(switchScopes),
        key: z.string(),
        state: z.enum(tradingStates),
        reason: z.string(),
        until: z.string().nullable(),
        set_by: z.string(),
        set_at: z.string(),
        rearm_by: z
          .string()
          .nullable()
          .meta({ description: 'The first of the two who must agree' }),
      }),
    )
    .meta({ description: 'Those that are not ACTIVE' }),
  markets: z.array(
    z.object({
      clock: z.enum(marketClocks),
      time: z.string().nullable(),
      index_symbol: z.string().nullable(),
      volatility_symbol: z.string().nullable(),
      breaker: z
        .object({
          status: z.string(),
          day: z.string(),
          level: z.int().nullable(),
          halted_until: z.string().nullable(),
          used_level_1: z.boolean(),
          used_level_2: z.boolean(),
          prior_close_cents: z.int().nullable(),
          index_cents: z.int().nullable(),
          index_time: z.string().nullable(),
        })
        .nullable(),
    }),
  ),
})
tradingStateSchema.register(z.globalRegistry, { title: 'TradingState' })
export type TradingStateDocument = z.infer<typeof tradingStateSchema>

const time = z
  .date()
  .transform((at) => at.toISOString())
  .pipe(z.string())

export const quarantineSchema = z.object({
  id: z.string(),
  account: z.string(),
  order_id: z.string().nullable(),
  code: z.string(),
  report: z.unknown(),
  at: time,
  resolved_at: time.nullable().meta({ description: 'When it was taken after all' }),
})
quarantineSchema.register(z.globalRegistry, { title: 'QuarantinedReport' })
export type QuarantineDocument = z.infer<typeof quarantineSchema>

/** For operators. Both throw `database.unavailable`. */
export type TradingReads = {
  state(at: Date): Promise<TradingStateDocument>
  /** What venues told that cannot be, newest first. */
  quarantine(page: {
    readonly account: string | undefined
    readonly limit: number
    readonly cursor: string | undefined
  }): Promise<{
    readonly quarantined: readonly QuarantineDocument[]
    readonly next: string | undefined
  }>
}

export function tradingReads(sql: Sql): TradingReads {
  return {
    state: (at) => readState(sql, at).catch(rethrowAsOutage),
    quarantine: (page) => readQuarantine(sql, page).catch(rethrowAsOutage),
  }
}

async function readState(sql: Sql, at: Date): Promise<TradingStateDocument> {
  const [rows, markets] = await Promise.all([
    sql`
      select scope, key, state, reason, until, set_by as "setBy", set_at as "setAt",
        rearm_by as "rearmBy"
      from postern_trading_state
      where state <> 'ACTIVE' and (until is null or until > ${at})
      order by scope, key limit ${switchesMax}`,
    readMarkets(sql),
  ])
  return {
    switches: switchRows.parse(rows).map(switchOf),
    markets: marketClocks.map((clock) => marketOf(clock, markets[clock])),
  }
}

function switchOf(row: NamedSwitch): TradingStateDocument['switches'][number] {
  const { scope, key, state, reason, until, setBy, setAt, rearmBy } = row
  return {
    ...{ scope, key, state, reason },
    until: until?.toISOString() ?? null,
    set_by: setBy,
    set_at: setAt.toISOString(),
    rearm_by: rearmBy ?? null,
  }
}

function marketOf(
  clock: (typeof marketClocks)[number],
  { timeMs, breaker, indexSymbol, volatilitySymbol }: MarketView,
): TradingStateDocument['markets'][number] {
  return {
    clock,
    time: timeText(timeMs),
    index_symbol: indexSymbol ?? null,
    volatility_symbol: volatilitySymbol ?? null,
    breaker: breaker === undefined ? null : breakerOf(breaker),
  }
}

function breakerOf(breaker: NonNullable<MarketView['breaker']>) {
  return {
    status: breaker.status,
    day: breaker.day,
    level: breaker.status === 'CLOSED_L3' ? 3 : breaker.haltLevel,
    halted_until: timeText(breaker.haltUntil ?? undefined),
    used_level_1: breaker.usedL1,
    used_level_2: breaker.usedL2,
    prior_close_cents: breaker.priorCloseCents,
    index_cents: breaker.indexCents,
    index_time: timeText(breaker.indexTime ?? undefined),
  }
}

function timeText(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString()
}

async function readQuarantine(
  sql: Sql,
  page: {
    readonly account: string | undefined
    readonly limit: number
    readonly cursor: string | undefined
  },
) {
  const { account, limit, cursor } = page
  const rows = await sql`
    select id::text, account, order_id, code, report, at, resolved_at
    from postern_order_quarantine
    where ${account === undefined ? sql`true` : sql`account = ${account}`}
      ${cursor === undefined ? sql`` : sql`and id < ${cursor}::bigint`}
    order by postern_order_quarantine.id desc limit ${limit + 1}`
  const quarantined = z.array(quarantineSchema).parse(rows).slice(0, limit)
  return { quarantined, next: rows.length > limit ? quarantined.at(-1)?.id : undefined }
}
