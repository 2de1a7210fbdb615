import { expect } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { formatAmount, parseAmount } from '#core/order/amount.ts'
import { type PaperMarket, paperDefaults, venueClockAt } from '#core/order/venue/paper-market.ts'
import {
  type AccountFilter,
  type PaperVenueOptions,
  paperVenue,
} from '#core/order/venue/paper-venue.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { testAccount } from './order-terms.ts'

const symbols: readonly string[] = ['AAPL', 'MSFT', 'PENNY']
export const openedMs = Date.UTC(2026, 10, 24, 15)
export const closeMs = Date.UTC(2026, 10, 24, 21)

/** A book with one price on both sides and so many shares; without a price it is not there. */
export function marketAt(
  price: string | undefined,
  { shares = '1000000', clockMs = openedMs, isHalted = false } = {},
): PaperMarket {
  const nanos = Number(parseAmount(price ?? '0'))
  const size = Number(shares)
  const quote =
    price === undefined
      ? undefined
      : { time: clockMs, bid: nanos, ask: nanos, bidSize: size, askSize: size }
  return { clockMs, quote, bar: undefined, isHalted, barVolumeUsed: 0n }
}

export function only(account: string): AccountFilter {
  return () => Promise.resolve(new Set([account]))
}

/** A database with the paper venue's tables, and venues that share it as processes do. */
export async function paperWorld(database: PaperDatabase = productionDatabase) {
  const { url, close: closeDatabase } = await database()
  const pools: Sql[] = []
  const connect = (max: number) => {
    const pool = connectPostgres({ url, mode: 'development', applicationName: 'paper test', max })
    pools.push(pool)
    return pool
  }
  const sql = connect(4)
  await migrate({ sql, queue: 'redis' })
  const markets = new Map<string, PaperMarket>(symbols.map((name) => [name, marketAt(undefined)]))

  /** Another process on the same book. */
  function open(options: Partial<PaperVenueOptions> = {}) {
    return paperVenue({
      sql,
      grouped: connect(1),
      rules: { ...paperDefaults, mode: 'strict', seed: 7 },
      markets: async (wanted) => {
        const seen = (names: readonly string[]) =>
          names.flatMap((name) => {
            const market = markets.get(name)
            return market === undefined ? [] : [[name, market] as const]
          })
        return new Map([...wanted].map(([account, names]) => [account, new Map(seen(names))]))
      },
      clock: async () => venueClockAt(openedMs),
      pollMs: 20,
      ...options,
    })
  }

  return {
    sql,
    markets,
    open,
    async trade(
      venue: ReturnType<typeof open>,
      trade: { symbol: string; shares: bigint; price: bigint },
    ) {
      const shares = formatAmount(trade.shares)
      const market = marketAt(formatAmount(trade.price), { shares })
      await venue.onMarket(only(testAccount), trade.symbol, market)
    },
    async clear() {
      for (const symbol of symbols) markets.set(symbol, marketAt(undefined))
      await positionsAreFolds(sql)
      await sql`truncate postern_paper_order, postern_paper_report, postern_paper_position
        restart identity`
    },
    async close() {
      await positionsAreFolds(sql)
      await Promise.all(pools.map((pool) => pool.end({ timeout: 1 })))
      await closeDatabase()
    },
  }
}

/** What a test has left behind: positions that its orders add up to. */
async function positionsAreFolds(sql: Sql): Promise<void> {
  const rows = await sql`
    with folded as (
      select account, symbol, sum(case side when 'buy' then cum - carried else carried - cum end) as quantity
      from postern_paper_order group by account, symbol)
    select account, symbol, f.quantity::text as folded, p.quantity::text as held
    from folded f full join postern_paper_position p using (account, symbol)
    where coalesce(f.quantity, 0) <> coalesce(p.quantity, 0)`
  expect([...rows]).toEqual([])
}

export type PaperDatabase = () => Promise<{ readonly url: string; close(): Promise<void> }>

export async function productionDatabase() {
  const server = await sharedPostgres()
  return { url: await server.createDatabase(), close: () => Promise.resolve() }
}

/** The engine that a laptop runs: one session for all. */
export async function embeddedDatabase() {
  const directory = await mkdtemp(join(tmpdir(), 'postern-paper-'))
  const engine = await openEmbeddedEngine({ directory })
  return {
    url: engine.url,
    async close() {
      await engine.close()
      await rm(directory, { recursive: true })
    },
  }
}
