import type { Sql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../../audit/journal.ts'
import { recordedTransaction } from '../../audit/journal-rows.ts'
import { systemRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { RotationJournal } from './rotation-journal.ts'

/** Days before its due date from which on a person is reminded of what only a person rotates. */
const reminderDays = 14

export type RotationCheck = {
  /** Names whose rotation was opened now. */
  readonly opened: readonly string[]
  /** Due, with a rotation under way. */
  readonly under_way: readonly string[]
  /** Due soon or already, and nobody but a person can rotate them. */
  readonly reminded: readonly string[]
}

export type CheckOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly rotations: Pick<RotationJournal, 'plan'>
  readonly now: () => Date
  readonly by: string
  /** Opens and records nothing. */
  readonly isDryRun?: boolean
}

const rowsSchema = z.array(
  z.object({
    name: z.string(),
    kind: z.string().nullable(),
    isDue: z.boolean(),
    isOpen: z.boolean(),
    dueAt: z.date(),
  }),
)
type Due = z.infer<typeof rowsSchema>[number]

/**
 * Opens the rotation of each secret that is due by the database's clock, and records a reminder of
 * each that only a person can rotate. Can be repeated at any time. Throws `database.unavailable`
 * and `audit.unavailable`; what was opened before stays open.
 */
export async function checkRotation(options: CheckOptions): Promise<RotationCheck> {
  const rows = await readDue(options.sql).catch(rethrowAsOutage)
  const automatic = rows.filter(({ kind, isDue }) => kind !== null && isDue)
  const opened: string[] = []
  const underWay = automatic.filter(({ isOpen }) => isOpen).map(({ name }) => name)
  for (const { name, isOpen } of automatic) {
    if (isOpen) continue
    if (await open(options, name)) opened.push(name)
    else underWay.push(name)
  }
  const byHand = rows.filter(({ kind }) => kind === null)
  if (options.isDryRun !== true && byHand.length > 0) await remind(options, byHand)
  return { opened, under_way: underWay, reminded: byHand.map(({ name }) => name) }
}

async function readDue(sql: Sql): Promise<readonly Due[]> {
  return rowsSchema.parse(
    await sql`
      select s.name, s.kind, s.due_at as "dueAt", s.due_at <= now() as "isDue",
        exists (
          select from postern_secret_rotation r where r.name = s.name and r.ended_at is null
        ) as "isOpen"
      from postern_secret s
      where s.due_at <= now()
        or s.kind is null and s.due_at <= now() + make_interval(hours => 24 * ${reminderDays})
      order by s.name`,
  )
}

/** False where somebody else has opened one since. */
async function open({ rotations, by, isDryRun }: CheckOptions, name: string): Promise<boolean> {
  if (isDryRun === true) return true
  try {
    await rotations.plan(name, by)
    return true
  } catch (error) {
    if (error instanceof PosternError && error.code === 'secret.rotation_open') return false
    throw error
  }
}

async function remind(
  { sql, journal, now, by }: CheckOptions,
  rows: readonly Due[],
): Promise<void> {
  await recordedTransaction(sql, journal, async (_transaction, write) => {
    await write(
      rows.map(({ name, dueAt, isDue }) =>
        systemRecord({
          ...{ id: Bun.randomUUIDv7(), type: 'secret.reminder', at: now(), outcome: 'ok' },
          ...{ target: `secret/${name}`, details: { dueAt: dueAt.toISOString(), isDue, by } },
        }),
      ),
    )
  }).catch(rethrowAsOutage)
}
