import type { TransactionSql } from 'postgres'
import { encodeAuditRecord, systemRecord } from '../audit/record.ts'
import { errorCatalog } from '../errors.ts'
import type { JobKind } from './kind.ts'
import { type DeliverableRow, deliverableColumns, redelivery } from './redelivery.ts'
import type { SweeperOptions } from './sweeper.ts'

/** Jobs compared in one page: one pipelined question to the engine. */
const pageMax = 5_000
/** Younger jobs may still be on their way to the engine. */
const settledMs = 10_000
/** A job that the engine lost this often kills its workers or its engine. */
const dispatchesMax = 10
/** One process compares at a time. The number is arbitrary and used for nothing else. */
const lockKey = 7_203_001

/**
 * Compares the unfinished jobs in Postgres with what the engine holds, a page per kind and call,
 * and dispatches again what is missing: the engine was wiped, or gave a job up without an outcome.
 */
export function reconciler(options: SweeperOptions): () => Promise<void> {
  const { sql, queue, kinds } = options
  const cursors = new Map<string, string>()

  return async () => {
    await sql.begin(async (transaction) => {
      const [state] = await transaction<{ locked: boolean; behind: boolean }[]>`
        select pg_try_advisory_xact_lock(${lockKey}) as locked,
          exists (select from postern_outbox where due_at < now() - interval '5 seconds') as behind`
      // While the outbox is behind, what the engine lacks is not lost: it has not been sent yet.
      if (state?.locked !== true || state.behind) return
      const paused = await transaction<{ kind: string }[]>`
        select kind from postern_queue where paused_at is not null`
      const pausedKinds = new Set(paused.map((row) => row.kind))
      for (const kind of kinds.values()) {
        await queue.setPaused(kind, pausedKinds.has(kind.name))
        const next = await comparePage(options, transaction, kind, cursors.get(kind.name))
        if (next === undefined) cursors.delete(kind.name)
        else cursors.set(kind.name, next)
      }
    })
  }
}

/** Returns where the next page begins, or undefined after the last. */
async function comparePage(
  options: SweeperOptions,
  transaction: TransactionSql,
  kind: JobKind,
  cursor = '00000000-0000-0000-0000-000000000000',
): Promise<string | undefined> {
  const settled = new Date(options.now().getTime() - settledMs)
  const rows = await transaction<{ id: string }[]>`
    select id from postern_job
    where kind = ${kind.name} and finished_at is null and id > ${cursor} and accepted_at < ${settled}
    order by id limit ${pageMax}`
  if (rows.length === 0) return undefined
  const ids = rows.map((row) => row.id)
  const missing = await options.queue.missing(kind, ids)
  if (missing.length > 0) await dispatchAgain(options, transaction, missing)
  return rows.length < pageMax ? undefined : ids.at(-1)
}

async function dispatchAgain(
  { queue, kinds, metrics, log, now }: SweeperOptions,
  transaction: TransactionSql,
  ids: readonly string[],
): Promise<void> {
  // Skips rows that a worker is finishing this moment: their outcome is on its way.
  const rows = await transaction<DeliverableRow[]>`
    update postern_job set dispatch = dispatch + 1
    where id in (
      select id from postern_job
      where id = any(${[...ids]}::uuid[]) and finished_at is null
      order by id for update skip locked)
    returning ${deliverableColumns(transaction)}`
  const spent = rows.filter((row) => row.dispatch > dispatchesMax)
  if (spent.length > 0) await giveUp(transaction, spent, now())
  const deliveries = rows
    .filter((row) => row.dispatch <= dispatchesMax)
    .map((row) => redelivery(row, kinds, now()))
    .filter((delivery) => delivery !== undefined)
  if (deliveries.length > 0) await queue.add(deliveries)
  metrics.redispatched.inc({ why: 'lost' }, deliveries.length)
  log.warn('reconcile.lost', { dispatchedAgain: deliveries.length, givenUp: spent.length })
}

async function giveUp(
  transaction: TransactionSql,
  rows: readonly DeliverableRow[],
  now: Date,
): Promise<void> {
  const code = 'job.dispatches_exhausted'
  const problem = { type: `/problems/${code}`, ...errorCatalog[code] }
  const records = rows.map((row) => {
    const rec = Bun.randomUUIDv7()
    const target = `job/${row.id}`
    const type = 'job.failed'
    return {
      rec,
      audit: encodeAuditRecord(
        systemRecord({ id: rec, type, at: now, target, outcome: 'failed', reason: code }),
      ),
    }
  })
  await transaction`
    update postern_job set state = 'failed', finished_at = ${now},
      problem = ${JSON.stringify(problem)}::text::jsonb, changed = pg_current_xact_id()
    where id = any(${rows.map((row) => row.id)}::uuid[])`
  await transaction`
    insert into postern_audit_intake (rec, body)
    select rec, convert_to(audit, 'UTF8')
    from jsonb_to_recordset(${JSON.stringify(records)}::text::jsonb) as r(rec uuid, audit text)`
}
