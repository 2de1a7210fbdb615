import type { Sql } from 'postgres'
import type { Caller } from '../access/principal.ts'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { callerRecord } from '../audit/record.ts'
import { formatDecimal, parseDecimal } from '../decimal.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { refuseLostRows, stagedUploads } from '../reading/staged-uploads.ts'
import type { Reason } from './eligibility.ts'
import { dayMs } from './equity.ts'
import type { Trade } from './trade.ts'

/** Swaps of one wallet that are read into memory, about 300 bytes each. */
const walletTradesMax = 500_000
const walletsPerPage = 500

/** Why a wallet with more swaps than that has no score. */
export const tooManyTrades: Reason = {
  code: 'TOO_MANY_TRADES',
  detail: `more than ${walletTradesMax} swaps`,
}

export type Ingested = {
  readonly id: string
  readonly rows: number
  readonly stored: number
  /** Rows whose wallet and signature were known already, or stood twice in the upload. */
  readonly duplicates: number
}

/** Ingested swaps. All methods throw `database.unavailable` when Postgres is away. */
export type TradeStore = {
  /**
   * Stores all rows, with its audit record, in one commit after the last batch; a batch iterator
   * that throws leaves nothing behind. The same upload may be sent again: known swaps are ignored.
   */
  ingest(batches: AsyncIterable<readonly Trade[]>, caller: Caller): Promise<Ingested>
  /**
   * Swaps of a wallet up to the end of a UTC date, in order; undefined when there are more than
   * `walletTradesMax`.
   */
  tradesOf(wallet: string, endDate: string): Promise<readonly Trade[] | undefined>
  /** Every wallet with a swap, in order of address, by pages. */
  wallets(): AsyncIterable<readonly string[]>
}

export type TradeStoreOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly now: () => Date
}

export function postgresTradeStore({ sql, journal, now }: TradeStoreOptions): TradeStore {
  const upload = stagedUploads<Trade>({
    sql,
    table: 'postern_trade_staging',
    stage: (id, batch) => stage(sql, id, batch),
  })
  return {
    async ingest(batches, caller) {
      const id = Bun.randomUUIDv7()
      const commit = (rows: number) => commitStaged(sql, journal, { id, rows, caller, at: now() })
      return await upload({ id, batches, commit })
    },
    tradesOf: (wallet, endDate) => readTradesOf(sql, wallet, endDate).catch(rethrowAsOutage),
    wallets: () => readWallets(sql),
  }
}

/**
 * One JSON parameter per batch rather than COPY: no connection is held while a slow client sends,
 * and the embedded engine's process ends at a COPY whose data comes in a later message.
 */
async function stage(sql: Sql, id: string, batch: readonly Trade[]): Promise<void> {
  const rows = batch.map((trade) => ({
    wallet: trade.wallet,
    signature: trade.signature,
    time: new Date(trade.timeMs),
    mint_in: trade.mintIn,
    mint_out: trade.mintOut,
    amount_in: formatDecimal(trade.amountIn),
    amount_out: formatDecimal(trade.amountOut),
    usd_in: formatDecimal(trade.usdIn),
    usd_out: formatDecimal(trade.usdOut),
    fee_usd: formatDecimal(trade.feeUsd),
    failed: trade.failed,
  }))
  await sql`
    insert into postern_trade_staging (ingest, wallet, signature, time, mint_in, mint_out,
      amount_in, amount_out, usd_in, usd_out, fee_usd, failed)
    select ${id}, wallet, signature, time, mint_in, mint_out, amount_in, amount_out, usd_in,
      usd_out, fee_usd, failed
    from rows from (jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as (
      wallet text, signature text, time timestamptz, mint_in text, mint_out text,
      amount_in numeric, amount_out numeric, usd_in numeric, usd_out numeric, fee_usd numeric,
      failed boolean)) with ordinality order by ordinality`
}

type Staged = {
  readonly id: string
  readonly rows: number
  readonly caller: Caller
  readonly at: Date
}

async function commitStaged(
  sql: Sql,
  journal: AuditJournal,
  { id, rows, caller, at }: Staged,
): Promise<Ingested> {
  return await recordedTransaction(sql, journal, async (transaction, write) => {
    // In the order of keys, or two uploads that share swaps deadlock.
    const moved = await transaction<{ staged: number; stored: number }[]>`
      with staged as (
        delete from postern_trade_staging where ingest = ${id} returning *
      ), stored as (
        insert into postern_trade (wallet, signature, time, mint_in, mint_out, amount_in,
          amount_out, usd_in, usd_out, fee_usd, failed, ingest, position)
        select wallet, signature, time, mint_in, mint_out, amount_in, amount_out, usd_in, usd_out,
          fee_usd, failed, ingest, position
        from staged order by wallet, signature, position
        on conflict (wallet, signature) do nothing
        returning 1
      )
      select (select count(*)::int from staged) as staged, (select count(*)::int from stored) as stored`
    const { staged = 0, stored = 0 } = moved[0] ?? {}
    refuseLostRows(staged, rows)
    const counts = { rows, stored, duplicates: rows - stored }
    const target = `trades/${id}`
    const type = 'trades.ingested'
    await write([callerRecord(caller, { id, type, at, target, outcome: 'ok', details: counts })])
    return { id, ...counts }
  })
}

type TradeRecord = Omit<Record<keyof Trade, string>, 'timeMs' | 'failed'> & {
  timeMs: number
  failed: boolean
}

async function readTradesOf(sql: Sql, wallet: string, endDate: string) {
  const before = new Date(Date.parse(endDate) + dayMs)
  const rows = await sql<TradeRecord[]>`
    select wallet, signature, (extract(epoch from time) * 1000)::float8 as "timeMs",
      mint_in as "mintIn", mint_out as "mintOut", amount_in::text as "amountIn",
      amount_out::text as "amountOut", usd_in::text as "usdIn", usd_out::text as "usdOut",
      fee_usd::text as "feeUsd", failed
    from postern_trade where wallet = ${wallet} and time < ${before}
    order by time, position limit ${walletTradesMax + 1}`
  return rows.length > walletTradesMax ? undefined : rows.map((row) => tradeFrom(row))
}

function tradeFrom(row: TradeRecord): Trade {
  return {
    ...row,
    amountIn: parseDecimal(row.amountIn),
    amountOut: parseDecimal(row.amountOut),
    usdIn: parseDecimal(row.usdIn),
    usdOut: parseDecimal(row.usdOut),
    feeUsd: parseDecimal(row.feeUsd),
  }
}

/** Steps from one wallet to the next through the index: `distinct` would read every swap. */
async function* readWallets(sql: Sql): AsyncGenerator<readonly string[]> {
  let after = ''
  for (;;) {
    const rows = await sql<{ wallet: string }[]>`
      with recursive walk(wallet, step) as (
        select (select min(wallet) from postern_trade where wallet > ${after}), 1
        union all
        select (select min(t.wallet) from postern_trade t where t.wallet > walk.wallet), step + 1
        from walk where walk.wallet is not null and step < ${walletsPerPage}
      )
      select wallet from walk where wallet is not null`.catch(rethrowAsOutage)
    if (rows.length > 0) yield rows.map((row) => row.wallet)
    const last = rows.at(-1)
    if (last === undefined || rows.length < walletsPerPage) return
    after = last.wallet
  }
}
