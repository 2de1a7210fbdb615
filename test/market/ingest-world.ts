import type { Sql } from 'postgres'
import type { Caller } from '#core/access/principal.ts'
import { dayIntervalMs } from '#core/market/bar-interval.ts'
import { mwcbRules } from '#core/market/breaker.ts'
import type { MarketRow } from '#core/market/ingest-row.ts'
import {
  type MarketApplyOptions,
  type MarketDesk,
  type MarketEvents,
  postgresMarketApply,
} from '#core/market/postgres-market-apply.ts'
import { postgresMarketIngest } from '#core/market/postgres-market-ingest.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

export const minuteMs = 60_000
/** 2 p.m. in New York, on a Friday. */
export const nowMs = Date.parse('2024-03-01T19:00:00Z')
export const now = () => new Date(nowMs)

export const caller: Caller = {
  principal: {
    ...{ issuer: 'https://issuer.test', subject: 'feeder', tokenId: 't', keyId: 'k' },
    ...{ scopes: new Set(['market:write']), expiresAt: 0 },
  },
  ...{ clientAddress: '127.0.0.1', userAgent: '', requestId: 'r', traceparent: undefined },
}

type BarRow = Extract<MarketRow, { type: 'bar' }>
type QuoteRow = Extract<MarketRow, { type: 'quote' }>

/** A bar of a minute whose prices are all `close` unless they are given. */
export function barRow(change: Partial<BarRow> & { readonly close: string }): BarRow {
  const { close } = change
  return {
    ...{ type: 'bar', symbol: 'AAPL', intervalMs: minuteMs, time: nowMs, volume: 100 },
    ...{ open: close, high: close, low: close },
    ...change,
  }
}

export function quoteRow(change: Partial<QuoteRow> = {}): QuoteRow {
  return {
    ...{ type: 'quote', symbol: 'AAPL', time: nowMs, bid: '9.99', ask: '10.01' },
    ...{ bidSize: 100, askSize: 200, levels: undefined },
    ...change,
  }
}

/** The close of the Thursday before, and the open of that Friday. */
export const priorCloseMs = Date.parse('2024-02-29T21:00:00Z')
export const openMs = Date.parse('2024-03-01T14:30:00Z')
/** The index's official close of the Thursday. */
export const indexDay = barRow({
  symbol: 'SPX',
  intervalMs: dayIntervalMs,
  time: priorCloseMs,
  close: '100',
})
/** The index `n` minutes into the Friday's session; a bar of AAPL at the same place. */
export const index = (n: number, close: string, low = close) =>
  barRow({ symbol: 'SPX', time: openMs + n * minuteMs, close, low, high: '200' })
export const own = (n: number, close = '10') =>
  barRow({ time: openMs + n * minuteMs, close, volume: n })

/** A database with the rights of the processes that upload and apply. */
export async function openMarketWorld() {
  const url = await (await sharedPostgres()).createDatabase()
  const sql = connectPostgres({ ...pool, url })
  await migrate({ sql, queue: 'redis' })
  const gateway = connectPostgres({ ...pool, url, role: 'postern_gateway' })
  const worker = connectPostgres({ ...pool, url, role: 'postern_worker' })
  return marketWorld({ sql, gateway, worker })
}

/** One session for all, as the embedded engine has it. */
export async function openMarketWorldOn(url: string) {
  const sql = connectPostgres({ ...pool, url })
  await migrate({ sql, queue: 'postgres' })
  return marketWorld({ sql, gateway: sql, worker: sql })
}

const pool = { mode: 'development', applicationName: 'test', max: 4 } as const

function marketWorld(sessions: Readonly<Record<'sql' | 'gateway' | 'worker', Sql>>) {
  const { sql, gateway, worker } = sessions
  const journal = testJournal()
  let nudges = 0
  const ingestBatches = postgresMarketIngest({
    ...{ sql: gateway, journal, now },
    onOutbox: () => {
      nudges += 1
    },
  })
  const noDesk: MarketDesk = {
    onMarket: () => Promise.resolve(),
    onQuotes: () => Promise.resolve(),
  }

  return {
    ...{ sql, gateway, worker, journal, ingestBatches },
    nudges: () => nudges,
    ingest: (...rows: readonly MarketRow[]) => ingestBatches(inBatches(rows), caller),
    apply(symbols: readonly string[], { desk, ...change }: ApplyChange = {}) {
      const apply = postgresMarketApply({
        ...{ sql: worker, journal, now, rules: mwcbRules, pairOf: () => undefined },
        desk: { ...noDesk, ...desk },
        ...change,
      })
      return apply(symbols, new AbortController().signal)
    },
    async clear() {
      nudges = 0
      await sql`truncate postern_bar, postern_market_staging, postern_instrument,
        postern_signal, postern_job, postern_outbox, postern_audit_intake, postern_lease`
      await sql`update postern_market set time = null, breaker = null, index_symbol = 'SPX',
        volatility_symbol = 'VIX'`
    },
    records: (type: string) => readRecords(sql, type),
    close: () => Promise.all([sql, gateway, worker].map((each) => each.end({ timeout: 1 }))),
  }
}

export async function* inBatches(...batches: readonly (readonly MarketRow[])[]) {
  for (const batch of batches) yield batch
}

async function readRecords(sql: Sql, type: string) {
  const rows = await sql<{ body: Record<string, unknown> }[]>`
    select convert_from(body, 'UTF8')::jsonb as body from postern_audit_intake
    where convert_from(body, 'UTF8')::jsonb ->> 'type' = ${type} order by id`
  return rows.map((row) => row.body)
}

type ApplyChange = Partial<Omit<MarketApplyOptions, 'desk'>> & {
  readonly desk?: Partial<MarketDesk>
}

/** Keeps what it is told; fails at a call when it is asked to. */
export function keepingDesk() {
  const told: MarketEvents[] = []
  const failures: Error[] = []
  const quoted: unknown[] = []
  const bars = (clock: string) =>
    told.flatMap((events) => (events.clock === clock ? events.bars.map(({ time }) => time) : []))
  return {
    ...{ told, quoted, failures, bars },
    onMarket(events: MarketEvents) {
      const failure = failures.pop()
      if (failure !== undefined) return Promise.reject(failure)
      told.push(events)
      return Promise.resolve()
    },
    onQuotes(of: unknown) {
      quoted.push(of)
      return Promise.resolve()
    },
  }
}
