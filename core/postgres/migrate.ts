import { createHash } from 'node:crypto'
import { assertSchemaCompatibility, LATEST_SCHEMA_VERSION, runMigrations } from 'bullmq'
import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { migrations as embedded, type Migration } from './migrations.ts'

/** 'post' in ASCII; whoever migrates holds this lock until its commit. */
const migrationLockKey = 0x706f_7374
/** Waiting longer than this for another migrator is a fault that somebody must look at. */
const lockTimeout = '60s'

/** BullMQ's tables live beside ours: the embedded engine has one `search_path` for everybody. */
export const queueSchema = 'public'

export type MigrateOptions = {
  readonly sql: Sql
  /** With `postgres`, BullMQ's own tables are brought up to date in the same transaction. */
  readonly queue: 'redis' | 'postgres'
  readonly migrations?: readonly Migration[]
}

/** All that BullMQ's migrator binds. */
const queryValues = z.array(z.union([z.string(), z.number()]))
const ledgerRows = z.array(z.object({ number: z.int(), name: z.string(), sha256: z.string() }))

/**
 * Brings the schema up to this binary, forward only, all of it or nothing; returns the names of
 * what was applied, in order. Safe concurrently: the second waits and finds nothing to do. Throws
 * `database.schema_refused` when the schema is newer than this binary or an applied migration
 * differs from the embedded one.
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { sql, queue, migrations = embedded } = options
  return await sql.begin(async (transaction) => {
    await transaction`select set_config('lock_timeout', ${lockTimeout}, true),
      set_config('statement_timeout', '0', true)`
    await transaction`select pg_advisory_xact_lock(${migrationLockKey})`
    await transaction`create table if not exists postern_migration (
      number integer primary key,
      name text not null,
      sha256 text not null,
      applied_at timestamptz not null default now()
    )`
    const pending = await pendingOwn(transaction, migrations)
    for (const migration of pending) await apply(transaction, migration)
    const queuePending = queue === 'postgres' ? await pendingQueue(transaction) : []
    if (queuePending.length > 0) await runMigrations(insideTransaction(transaction), queueSchema)
    return [...pending.map(titleOf), ...queuePending]
  })
}

/** What `migrate` would apply, in order, without changing anything; throws what it would throw. */
export async function pendingMigrations(options: MigrateOptions): Promise<readonly string[]> {
  const { sql, queue, migrations = embedded } = options
  return await sql.begin('read only', async (transaction) => [
    ...(await pendingOwn(transaction, migrations)).map(titleOf),
    ...(queue === 'postgres' ? await pendingQueue(transaction) : []),
  ])
}

async function pendingOwn(
  transaction: TransactionSql,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const [ledger] = await transaction`select to_regclass('postern_migration') is not null as exists`
  const applied =
    ledger?.['exists'] === true
      ? ledgerRows.parse(
          await transaction`select number, name, sha256 from postern_migration order by number`,
        )
      : []
  for (const row of applied) refuseMismatch(row, migrations)
  const numbers = new Set(applied.map((row) => row.number))
  return migrations.filter(({ number }) => !numbers.has(number))
}

function refuseMismatch(
  applied: z.infer<typeof ledgerRows>[number],
  migrations: readonly Migration[],
): void {
  const ours = migrations.find(({ number }) => number === applied.number)
  if (ours === undefined) {
    throw refusal(
      `The database has migration ${titleOf(applied)}, which this binary does not know: ` +
        'it was migrated by a newer release. Run that release or a newer one.',
    )
  }
  if (checksumOf(ours) !== applied.sha256) {
    throw refusal(
      `Migration ${titleOf(applied)} was applied with other contents than this binary holds. ` +
        'Run the release that applied it, or restore the database from before it.',
    )
  }
}

async function apply(transaction: TransactionSql, migration: Migration): Promise<void> {
  await transaction.unsafe(migration.sql)
  await transaction`insert into postern_migration ${transaction({
    number: migration.number,
    name: migration.name,
    sha256: checksumOf(migration),
  })}`
}

async function pendingQueue(transaction: TransactionSql): Promise<readonly string[]> {
  const title = `bullmq schema ${LATEST_SCHEMA_VERSION}`
  const ledger = `${queueSchema}.migration`
  const [row] = await transaction`select to_regclass(${ledger}) is not null as exists`
  if (row?.['exists'] !== true) return [title]
  const version = await assertSchemaCompatibility(insideTransaction(transaction), queueSchema)
  return version < LATEST_SCHEMA_VERSION ? [title] : []
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

function checksumOf({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex')
}

function titleOf({ number, name }: { number: number; name: string }): string {
  return `${String(number).padStart(4, '0')}-${name}`
}

function refusal(detail: string): PosternError {
  return new PosternError('database.schema_refused', { detail })
}
