import type { Sql, TransactionSql } from 'postgres'
import type { Caller } from '../access/principal.ts'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { callerRecord } from '../audit/record.ts'
import { refuseLostRows, stagedUploads } from '../reading/staged-uploads.ts'
import {
  lockInstruments,
  moveBars,
  moveClocks,
  readStaged,
  type StagedExtent,
  storeBars,
  storeQuotes,
} from './ingest-commit.ts'
import type { MarketRow } from './ingest-row.ts'
import { type ApplyMarketDataPayload, applyMarketDataKind as kind } from './market-kinds.ts'

export type MarketIngested = {
  readonly id: string
  readonly rows: number
  readonly stored: number
  /** Rows that said nothing new: known, older than the known quote, or twice in the upload. */
  readonly duplicates: number
  /** Rows that were known with other figures. */
  readonly corrected: number
  readonly symbols: readonly string[]
  /** RFC 3339: the first and the last event; absent in an upload without rows, like its job. */
  readonly from?: string
  readonly to?: string
  /** The job that applies what was ingested. */
  readonly jobId?: string
}

export type MarketIngestOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly now: () => Date
  /** Called after a commit that left a job to dispatch. */
  readonly onOutbox: () => void
}

/**
 * Stores all rows of an upload in one commit after the last batch: with what they make known of
 * their instruments, the markets' clocks, the audit record and the job that applies them. A batch
 * iterator that throws leaves nothing behind. The same upload may be sent again. Throws
 * `gateway.overloaded` and `database.unavailable`.
 */
export type MarketIngest = (
  batches: AsyncIterable<readonly MarketRow[]>,
  caller: Caller,
) => Promise<MarketIngested>

export function postgresMarketIngest(options: MarketIngestOptions): MarketIngest {
  const { sql, now } = options
  const upload = stagedUploads<MarketRow>({
    sql,
    table: 'postern_market_staging',
    stage: (id, batch) => stage(sql, id, batch),
  })
  return async (batches, caller) => {
    const startedAt = now()
    // Its time says which of its events are of the live market.
    const id = Bun.randomUUIDv7('hex', startedAt)
    const commit = (rows: number) =>
      commitStaged(options, { id, rows, caller, startedAt, at: now() })
    return await upload({ id, batches, commit })
  }
}

async function stage(sql: Sql, id: string, batch: readonly MarketRow[]): Promise<void> {
  await sql`
    insert into postern_market_staging (ingest, body)
    select ${id}, body
    from jsonb_array_elements(${JSON.stringify(batch)}::text::jsonb) with ordinality as r(body, n)
    order by n`
}

type Staged = {
  readonly id: string
  readonly rows: number
  readonly caller: Caller
  readonly startedAt: Date
  readonly at: Date
}

async function commitStaged(
  { sql, journal, onOutbox }: MarketIngestOptions,
  { id, rows, caller, startedAt, at }: Staged,
): Promise<MarketIngested> {
  const ingested = await recordedTransaction<MarketIngested>(
    sql,
    journal,
    async (transaction, write) => {
      const staged = await readStaged(transaction, id, startedAt.getTime())
      refuseLostRows(staged.rows, rows)
      const counts = await storeStaged(transaction, staged, { id, startedAt })
      await transaction`delete from postern_market_staging where ingest = ${id}`
      const job = applyJob(id, staged)
      if (job !== undefined) await insertJob(transaction, job, { caller, at })
      const extent = job === undefined ? {} : { ...job.extent, jobId: job.id }
      const details = { rows, ...counts, symbols: staged.symbols, ...extent }
      const about = { at, outcome: 'ok' } as const
      const target = `market/${id}`
      await write([
        callerRecord(caller, { ...about, id, type: 'market.ingested', target, details }),
        ...(job === undefined ? [] : [acceptedRecord(caller, job.id, at)]),
      ])
      return { id, ...details }
    },
  )
  if (ingested.jobId !== undefined) onOutbox()
  return ingested
}

async function storeStaged(
  sql: TransactionSql,
  staged: StagedExtent,
  { id, startedAt }: { readonly id: string; readonly startedAt: Date },
) {
  const bars = await storeBars(sql, id)
  await lockInstruments(sql, staged.symbols)
  await moveBars(sql, id, bars.changed)
  const quotes = await storeQuotes(sql, id, startedAt.getTime())
  await moveClocks(sql, staged)
  const stored = bars.stored + quotes.stored
  const corrected = bars.corrected + quotes.corrected
  return { stored, duplicates: staged.rows - stored - corrected, corrected }
}

type ApplyJob = {
  readonly id: string
  readonly payload: ApplyMarketDataPayload
  readonly extent: { readonly from: string; readonly to: string }
}

function applyJob(ingest: string, staged: StagedExtent): ApplyJob | undefined {
  const { fromMs, toMs, symbols } = staged
  if (fromMs === undefined || toMs === undefined) return undefined
  const extent = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }
  const payload = kind.payload.parse({ ingest, symbols, ...extent })
  return { id: Bun.randomUUIDv7(), payload, extent }
}

/** Due at once: nobody but the sweeper will dispatch it. */
async function insertJob(
  sql: TransactionSql,
  { id, payload }: ApplyJob,
  { caller, at }: { readonly caller: Caller; readonly at: Date },
): Promise<void> {
  const { issuer, subject } = caller.principal
  await sql`
    with accepted as (
      insert into postern_job (id, kind, issuer, subject, payload, priority, attempts_max,
        timeout_ms, request_id, traceparent, accepted_at)
      values (${id}, ${kind.name}, ${issuer}, ${subject}, ${JSON.stringify(payload)}::text::jsonb,
        ${kind.priority}, ${kind.attemptsMax}, ${kind.timeoutMs}, ${caller.requestId},
        ${caller.traceparent ?? null}, ${at})
      returning id
    )
    insert into postern_outbox (id, jobs, due_at)
    select gen_random_uuid(), array_agg(id), now() from accepted`
}

/** The job's id names its accepting record too. */
function acceptedRecord(caller: Caller, id: string, at: Date) {
  const details = { kind: kind.name }
  const target = `job/${id}`
  return callerRecord(caller, { id, type: 'job.accepted', at, target, outcome: 'ok', details })
}
