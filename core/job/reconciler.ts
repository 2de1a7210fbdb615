import type { Sql, TransactionSql } from 'postgres'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { type AuditRecord, systemRecord } from '../audit/record.ts'
import { errorCatalog } from '../errors.ts'
import { holdLease } from '../postgres/lease.ts'
import type { JobKind } from './kind.ts'
import { type DeliverableRow, deliverableColumns, redelivery } from './redelivery.ts'
import type { SweeperOptions } from './sweeper.ts'

/** Jobs compared in one page: one pipelined question to the engine. */
const pageMax = 5_000
/** Younger jobs may still be on their way to the engine. */
const settledMs = 10_000
/** A job that the engine lost this often kills its workers or its engine. */
const dispatchesMax = 10
/** Seconds; a process that died is followed after this long. */
const leaseSeconds = 15

/**
 * Compares the unfinished jobs in Postgres with what the engine holds, a page per kind and call,
 * and dispatches again what is missing: the engine was wiped, or gave a job up without an outcome.
 */
export function reconciler(options: SweeperOptions): () => Promise<void> {
  const { sql, queue, kinds } = options
  const holder = Bun.randomUUIDv7()
  const cursors = new Map<string, string>()

  return async () => {
    // Saves work, decides nothing: two holders at once would dispatch nothing twice.
    if (!(await holdLease(sql, { name: 'reconcile', holder, seconds: leaseSeconds }))) return
    if (await isOutboxBehind(sql)) return
    const paused = await sql<{ kind: string }[]>`
      select kind from postern_queue where paused_at is not null`
    const pausedKinds = new Set(paused.map((row) => row.kind))
    for (const kind of kinds.values()) {
      await queue.setPaused(kind, pausedKinds.has(kind.name))
      const next = await comparePage(options, kind, cursors.get(kind.name))
      if (next === undefined) cursors.delete(kind.name)
      else cursors.set(kind.name, next)
    }
  }
}

/** While it is behind, what the engine lacks is not lost: it has not been sent yet. */
async function isOutboxBehind(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ behind: boolean }[]>`
    select exists (
      select from postern_outbox where due_at < now() - interval '5 seconds') as behind`
  return row?.behind === true
}

type Compared = { readonly id: string; readonly dispatch: number }

/** Returns where the next page begins, or undefined after the last. */
async function comparePage(
  options: SweeperOptions,
  kind: JobKind,
  cursor = '00000000-0000-0000-0000-000000000000',
): Promise<string | undefined> {
  const { sql, queue, now } = options
  const settled = new Date(now().getTime() - settledMs)
  const rows = await sql<Compared[]>`
    select id, dispatch from postern_job
    where kind = ${kind.name} and finished_at is null and id > ${cursor} and accepted_at < ${settled}
    order by id limit ${pageMax}`
  if (rows.length === 0) return undefined
  const ids = rows.map((row) => row.id)
  const missing = new Set(await queue.missing(kind, ids))
  const lost = rows.filter((row) => missing.has(row.id))
  if (lost.length > 0) await dispatchAgain(options, lost)
  return rows.length < pageMax ? undefined : ids.at(-1)
}

async function dispatchAgain(
  { sql, journal, queue, kinds, metrics, log, now }: SweeperOptions,
  lost: readonly Compared[],
): Promise<void> {
  const rows = await countDispatch(sql, lost)
  const spent = rows.filter((row) => row.dispatch > dispatchesMax)
  if (spent.length > 0) {
    await recordedTransaction(sql, journal, async (transaction, write) => {
      await write(await giveUp(transaction, spent, now()))
    })
  }
  const deliveries = rows
    .filter((row) => row.dispatch <= dispatchesMax)
    .map((row) => redelivery(row, kinds, now()))
    .filter((delivery) => delivery !== undefined)
  // Not sent after all? Still missing at the next comparison.
  if (deliveries.length > 0) await queue.add(deliveries)
  metrics.redispatched.inc({ why: 'lost' }, deliveries.length)
  log.warn('reconcile.lost', { dispatchedAgain: deliveries.length, givenUp: spent.length })
}

/**
 * Skips what another process has dispatched since and what a worker is finishing this moment. In
 * the order of ids, like every statement that locks jobs.
 */
async function countDispatch(sql: Sql, lost: readonly Compared[]): Promise<DeliverableRow[]> {
  return await sql<DeliverableRow[]>`
    update postern_job set dispatch = dispatch + 1
    where id in (
      select j.id from postern_job j
      join jsonb_to_recordset(${JSON.stringify(lost)}::text::jsonb) as l(id uuid, dispatch integer)
        on j.id = l.id and j.dispatch = l.dispatch
      where j.finished_at is null
      order by j.id for update of j skip locked)
    returning ${deliverableColumns(sql)}`
}

/** Returns the records to be written with it. */
async function giveUp(
  transaction: TransactionSql,
  rows: readonly DeliverableRow[],
  now: Date,
): Promise<readonly AuditRecord[]> {
  const code = 'job.dispatches_exhausted'
  const problem = { type: `/problems/${code}`, ...errorCatalog[code] }
  await transaction`
    update postern_job set state = 'failed', finished_at = ${now},
      problem = ${JSON.stringify(problem)}::text::jsonb, changed = pg_current_xact_id()
    where id = any(${rows.map((row) => row.id)}::uuid[])`
  return rows.map((row) =>
    systemRecord({
      id: Bun.randomUUIDv7(),
      type: 'job.failed',
      at: now,
      target: `job/${row.id}`,
      outcome: 'failed',
      reason: code,
    }),
  )
}
