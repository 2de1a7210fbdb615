import { assertSchemaCompatibility, LATEST_SCHEMA_VERSION, runMigrations } from 'bullmq'
import type { TransactionSql } from 'postgres'
import { z } from 'zod'
import type { DatabaseRole } from './database-role.ts'

/** BullMQ's tables live beside ours: the embedded engine has one `search_path` for everybody. */
export const queueSchema = 'public'

/** Whose processes add jobs and take them. */
const queueRoles = ['postern_gateway', 'postern_worker'] as const satisfies readonly DatabaseRole[]

/** What BullMQ's queues and workers touch; its relay is not used. */
const queueTables = [
  ...['job', 'job_log', 'job_dependency', 'event', 'metrics', 'rate_limit'],
  ...['dedup', 'dedup_next', 'scheduler', 'meta'],
]
const queueSequences = ['job_seq', 'event_seq']
const queueLedger = 'migration'

/** All that BullMQ's migrator binds. */
const queryValues = z.array(z.union([z.string(), z.number()]))

/** What `migrateQueue` would apply, in order. */
export async function pendingQueue(
  transaction: TransactionSql,
  queues: readonly string[],
): Promise<readonly string[]> {
  const title = `bullmq schema ${LATEST_SCHEMA_VERSION}`
  const isBehind = (await queueVersion(transaction)) < LATEST_SCHEMA_VERSION
  const unnumbered = await unnumberedQueues(transaction, queues)
  return [...(isBehind ? [title] : []), ...unnumbered.map((name) => `bullmq queue ${name}`)]
}

/**
 * Brings BullMQ's tables up to date, gives each queue its numbering and the gateway's and the
 * workers' roles their rights. BullMQ would make a numbering at the first job, for which a role
 * would need to create what it likes. Returns the names of what was applied.
 */
export async function migrateQueue(
  transaction: TransactionSql,
  queues: readonly string[],
): Promise<readonly string[]> {
  const pending = await pendingQueue(transaction, queues)
  if ((await queueVersion(transaction)) < LATEST_SCHEMA_VERSION) {
    await runMigrations(insideTransaction(transaction), queueSchema)
  }
  for (const name of await unnumberedQueues(transaction, queues)) {
    await transaction.unsafe(`create sequence ${inSchema([numberingOf(name)])}`)
  }
  const sequences = [...queueSequences, ...queues.map(numberingOf)]
  const grantees = queueRoles.join(', ')
  // Names that no caller chooses.
  await transaction.unsafe(`
    grant select on ${inSchema([queueLedger])} to ${grantees};
    grant select, insert, update, delete on ${inSchema(queueTables)} to ${grantees};
    grant usage, select on sequence ${inSchema(sequences)} to ${grantees}`)
  return pending
}

function inSchema(names: readonly string[]): string {
  return names.map((name) => `${queueSchema}.${name}`).join(', ')
}

async function queueVersion(transaction: TransactionSql): Promise<number> {
  const ledger = `${queueSchema}.${queueLedger}`
  const [row] = await transaction`select to_regclass(${ledger}) is not null as exists`
  if (row?.['exists'] !== true) return 0
  return await assertSchemaCompatibility(insideTransaction(transaction), queueSchema)
}

async function unnumberedQueues(
  transaction: TransactionSql,
  queues: readonly string[],
): Promise<readonly string[]> {
  const names = queues.map(numberingOf)
  const rows = await transaction<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = to_regnamespace(${queueSchema}) and relname = any(${names}::text[])`
  const known = new Set(rows.map((row) => row.name))
  return queues.filter((name) => !known.has(numberingOf(name)))
}

/** BullMQ's own name for it (`job_id_seq_name`, schema 11). */
function numberingOf(queue: string): string {
  return `bullmq_jid_${new Bun.CryptoHasher('md5').update(queue).digest('hex')}`
}

/** BullMQ opens a transaction of its own; its words for that are dropped, it is in ours. */
function insideTransaction(transaction: TransactionSql) {
  return {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      if (/^(?:begin|commit|rollback)$/i.test(text)) return { rows: [] }
      const rows: Row[] = await transaction.unsafe<Row[]>(text, queryValues.parse(values))
      return { rows }
    },
  }
}
