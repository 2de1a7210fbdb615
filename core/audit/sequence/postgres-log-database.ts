import type { PendingQuery, Row, Sql } from 'postgres'
import { z } from 'zod'
import { invariant } from '#core/invariant.ts'
import { refusedState } from '#core/postgres/database-role.ts'
import type { Hash } from '../tree/hash.ts'
import { splitHashes } from '../tree/tile.ts'
import {
  advanceHead,
  drop,
  leaseSeconds,
  moveAside,
  moveEntries,
  restore,
  Superseded,
  storeTree,
} from './append-statements.ts'
import type {
  IntakeRead,
  LogDatabase,
  LogEntry,
  LogGrowth,
  LogHead,
  SignedTree,
} from './log-database.ts'

/** Bytes of one read of the intake: with 65,535 bytes each, a batch of 4,096 would be 268 MB. */
const readBytesMax = 4_000_000
/** Waiting records beyond which the exact number says nothing more. */
const backlogMax = 1_000_000

/** Everybody who accepts something waits as long. */
const freezeLockTimeout = '5s'

const integer = z.coerce.number().refine(Number.isSafeInteger)
const bytes = z.instanceof(Uint8Array)
const headRow = z.object({
  size: integer,
  root: bytes,
  frontier: bytes,
  epoch: integer,
  frozen_at: z.date().nullable(),
})
const treeRow = z.object({ size: integer, root: bytes, note: z.string() })

/**
 * The log in Postgres. A pool of two connections is enough: the next batch is read while one is
 * being committed.
 */
export function postgresLogDatabase(sql: Sql): LogDatabase {
  let before: Promise<unknown> = Promise.resolve()
  return {
    lead: (owner) => lead(sql, owner),
    async renew(epoch) {
      const { count } = await sql`
        update postern_audit_head set led_until = now() + make_interval(secs => ${leaseSeconds})
        where epoch = ${epoch}`
      return count > 0
    },
    async release(epoch) {
      await sql`update postern_audit_head set led_until = '-infinity' where epoch = ${epoch}`
    },
    readIntake: (range) => readIntake(sql, range),
    append(growth) {
      const appended = append(sql, growth, before)
      before = appended.catch(() => undefined)
      return appended
    },
    leavesOf: (recs) => leavesOf(sql, recs),
    freeze: (head) => freeze(sql, head),
    async treeAt(size) {
      const rows = await sql`
        select size, root, note from postern_audit_checkpoint where size = ${size}`
      return firstTree(rows)
    },
    async newestTree() {
      const rows = await sql`
        select size, root, note from postern_audit_checkpoint order by size desc limit 1`
      return firstTree(rows)
    },
    readEntries: (from, to) => readEntries(sql, from, to),
    async notePublished(size) {
      await sql`
        update postern_audit_checkpoint set published_at = now()
        where size = ${size} and published_at is null`
    },
    async noteWitnessed(size, note) {
      await sql`
        update postern_audit_checkpoint set witnessed_at = now(), witnessed_note = ${note}
        where size = ${size} and witnessed_at is null`
    },
    backlog: () => backlog(sql),
    restore: (lost) => restore(sql, lost),
  }
}

/** Waits for a commit of the previous leader that is under way, or makes it come to nothing. */
async function lead(sql: Sql, owner: string): Promise<LogHead | undefined> {
  const [row] = await sql`
    update postern_audit_head set epoch = epoch + 1, owner = ${owner},
      led_until = now() + make_interval(secs => ${leaseSeconds})
    where owner = ${owner} or led_until <= now()
    returning size, root, frontier, epoch, frozen_at`
  if (row === undefined) return undefined
  const { size, root, frontier, epoch, frozen_at } = headRow.parse(row)
  return {
    size,
    root,
    frontier: splitHashes(frontier),
    epoch,
    frozenAt: frozen_at ?? undefined,
  }
}

async function freeze(sql: Sql, head: LogHead): Promise<boolean> {
  return await sql.begin(async (transaction) => {
    await transaction`select set_config('lock_timeout', ${freezeLockTimeout}, true)`
    // Waits for the writers under way and keeps others out until the log is frozen.
    await transaction`lock table postern_audit_intake in share mode`
    const { count } = await transaction`
      update postern_audit_head set frozen_at = now()
      where size = ${head.size} and epoch = ${head.epoch} and frozen_at is null
        and not exists (select from postern_audit_intake)`
    return count > 0
  })
}

type Range = { readonly after: number; readonly limit: number }
type RawIntakeRow = {
  readonly id: string
  readonly rec: string
  readonly body: string | Uint8Array
}

/** SQLSTATE classes of what is no text in this database. */
const notText = /^22/

/**
 * As text, which takes half the bytes on the wire and half the time here; where one of the bodies
 * is no text, as bytes.
 */
async function readIntake(sql: Sql, range: Range): Promise<IntakeRead> {
  const rows = await selectIntake(sql, range, sql`convert_from(body, 'UTF8')`).catch(
    (error: unknown) => {
      if (!notText.test(refusedState(error) ?? '')) throw error
      return selectIntake(sql, range, sql`body`)
    },
  )
  const read = rows.map(({ id, rec, body }) => ({ id: Number(id), rec, body: Buffer.from(body) }))
  const readBytes = read.reduce((sum, row) => sum + row.body.length, 0)
  return { rows: read, isMore: rows.length === range.limit || readBytes >= readBytesMax }
}

async function selectIntake(
  sql: Sql,
  { after, limit }: Range,
  body: PendingQuery<Row[]>,
): Promise<readonly RawIntakeRow[]> {
  return await sql<RawIntakeRow[]>`
    select id, rec, ${body} as body from (
      select id, rec, body, sum(octet_length(body)) over (order by id rows unbounded preceding)
        - octet_length(body) as before
      from (select id, rec, body from postern_audit_intake where id > ${after}
        order by id limit ${limit}) as first
    ) as summed where before < ${readBytesMax} order by id`
}

async function append(
  sql: Sql,
  growth: LogGrowth,
  before: Promise<unknown>,
): Promise<'appended' | 'superseded' | 'repeated'> {
  try {
    await sql.begin(async (transaction) => {
      await moveAside(transaction, growth.conflicting)
      await drop(transaction, growth.repeated)
      if (growth.tree !== undefined) {
        await Promise.all([moveEntries(transaction, growth), storeTree(transaction, growth.tree)])
      }
      await before
      await advanceHead(transaction, growth)
    })
    return 'appended'
  } catch (error) {
    if (error instanceof Superseded) return 'superseded'
    switch (violatedConstraint(error)) {
      case 'postern_audit_entry_rec':
        return 'repeated'
      // Another leader gave the index, or signed a tree of the size.
      case 'postern_audit_entry_pkey':
      case 'postern_audit_checkpoint_pkey':
        return 'superseded'
      default:
        throw error
    }
  }
}

const uniqueViolation = z.object({ code: z.literal('23505'), constraint_name: z.string() })

function violatedConstraint(error: unknown): string | undefined {
  return uniqueViolation.safeParse(error).data?.constraint_name
}

async function leavesOf(sql: Sql, recs: readonly string[]): Promise<Map<string, Hash>> {
  const rows = await sql<{ rec: string; leaf: Uint8Array }[]>`
    select rec, leaf from postern_audit_entry where rec = any(${[...recs]}::uuid[])`
  return new Map(rows.map(({ rec, leaf }) => [rec, leaf]))
}

async function readEntries(sql: Sql, from: number, to: number): Promise<LogEntry[]> {
  const rows = await sql<LogEntry[]>`
    select rec, body, leaf from postern_audit_entry where idx >= ${from} and idx < ${to}
    order by idx`
  invariant(rows.length === to - from, 'the log has an entry for each index below its size')
  return rows.map(({ rec, body, leaf }) => ({ rec, body, leaf }))
}

function firstTree(rows: readonly unknown[]): SignedTree | undefined {
  return rows.length === 0 ? undefined : treeRow.parse(rows[0])
}

/** In the order of the index: the table itself begins with what was taken since the last vacuum. */
async function backlog(sql: Sql) {
  const [row] = await sql<{ records: number; oldest: string | null }[]>`
    select (select count(*)::integer from (
      select from postern_audit_intake order by id limit ${backlogMax}) as waiting) as records,
      (select rec from postern_audit_intake order by id limit 1) as oldest`
  return { records: row?.records ?? 0, oldestRec: row?.oldest ?? undefined }
}
