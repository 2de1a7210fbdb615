import { createHash } from 'node:crypto'
import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { insufficientPrivilege, refusedState } from './database-role.ts'
import { migrations as embedded, type Migration } from './migrations.ts'
import { migrateQueue, pendingQueue } from './queue-schema.ts'

/** 'post' in ASCII; whoever migrates holds this lock until its commit. */
const migrationLockKey = 0x706f_7374
/** Waiting longer than this for another migrator is a fault that somebody must look at. */
const lockTimeout = '60s'

export type MigrateOptions = {
  readonly sql: Sql
  /** With `postgres`, BullMQ's own tables are brought up to date in the same transaction. */
  readonly queue: 'redis' | 'postgres'
  /** The queues of this binary, by name; those on Postgres are numbered when it is migrated. */
  readonly queues?: readonly string[]
  readonly migrations?: readonly Migration[]
  /** Called before each of them is applied. */
  readonly onApply?: (name: string) => void
}

const ledgerRows = z.array(z.object({ number: z.int(), name: z.string(), sha256: z.string() }))

/**
 * Brings the schema up to this binary, forward only, all of it or nothing; returns the names of
 * what was applied, in order. Safe concurrently: the second waits and finds nothing to do. Throws
 * `database.schema_refused` when the schema is newer than this binary, an applied migration
 * differs from the embedded one, or the login lacks a right that a migration needs.
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { sql, queue, queues = [], migrations = embedded } = options
  const migrated = sql.begin(async (transaction) => {
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
    for (const migration of pending) {
      options.onApply?.(titleOf(migration))
      await apply(transaction, migration)
    }
    const queueApplied = queue === 'postgres' ? await migrateQueue(transaction, queues) : []
    return [...pending.map(titleOf), ...queueApplied]
  })
  return await migrated.catch(refuseLogin)
}

/** What `migrate` would apply, in order, without changing anything; throws what it would throw. */
export async function pendingMigrations(options: MigrateOptions): Promise<readonly string[]> {
  const { sql, queue, queues = [], migrations = embedded } = options
  const pending = sql.begin('read only', async (transaction) => [
    ...(await pendingOwn(transaction, migrations)).map(titleOf),
    ...(queue === 'postgres' ? await pendingQueue(transaction, queues) : []),
  ])
  return await pending.catch((error: unknown) => {
    if (refusedState(error) !== insufficientPrivilege) throw error
    throw refusal('The rights of this login are behind this binary; run `postern migrate`.')
  })
}

/** The server's words name what was refused, and the migration's hint what to run. */
function refuseLogin(error: unknown): never {
  if (!(error instanceof Error) || refusedState(error) !== insufficientPrivilege) throw error
  const hint = 'hint' in error && typeof error.hint === 'string' ? ` ${error.hint}` : ''
  throw refusal(`The login may not migrate: ${error.message}.${hint}`)
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

function checksumOf({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex')
}

function titleOf({ number, name }: { number: number; name: string }): string {
  return `${String(number).padStart(4, '0')}-${name}`
}

function refusal(detail: string): PosternError {
  return new PosternError('database.schema_refused', { detail })
}
