import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../../audit/journal.ts'
import { recordedTransaction } from '../../audit/journal-rows.ts'
import { type AuditRecord, type AuditType, systemRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { Rotation } from './rotation.ts'
import type { RotationJournal, RotationSettings, Urgency } from './rotation-journal.ts'
import { rotationColumns, rotationReads, rotationsOf } from './rotation-rows.ts'

export type RotationJournalOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly now: () => Date
}

export function postgresRotationJournal(options: RotationJournalOptions): RotationJournal {
  const { sql } = options
  return {
    ...rotationReads(sql),
    plan: (name, by, urgency = 'can wait') =>
      plan(options, { name, by, urgency }).catch(rethrowAsOutage),
    configure: (name, rotation, by) =>
      configure(options, { name, by, rotation }).catch(rethrowAsOutage),
    staged: (rotation, { pending, fingerprint }) =>
      change(options, rotation, {
        step: 'set',
        set: sql`pending_version = ${pending}, fingerprint = decode(${fingerprint}, 'hex')`,
        details: { version: pending },
      }),
    move: (rotation, step) => change(options, rotation, { step }),
    hurry: (rotation) =>
      change(options, rotation, {
        step: rotation.step,
        set: sql`is_urgent = true, retire_after = null`,
        ...(rotation.error === undefined ? {} : { error: rotation.error }),
        details: { isUrgent: true },
      }),
    settled: (rotation, graceSeconds) =>
      change(options, rotation, {
        step: 'retire',
        // Hurried since its caller looked, it has no grace.
        set: sql`retire_after = case when not is_urgent
          then now() + make_interval(secs => ${graceSeconds}) end`,
        where: sql`and (roll_back_reason is null or is_urgent)`,
      }),
    askRollBack: (rotation, { reason, by }) =>
      change(options, rotation, {
        step: 'settle',
        set: sql`roll_back_reason = ${reason}`,
        where: sql`and step = 'settle' and promoted_at is not null and not is_urgent`,
        details: { rollBack: reason, by },
      }),
    promote: (rotation) =>
      change(options, rotation, {
        step: 'settle',
        set: sql`promoted_at = date_trunc('milliseconds', now())`,
        details: { version: rotation.pending },
        also: (transaction) => movePointer(transaction, rotation),
      }),
    rollBack: (rotation, error) =>
      change(options, rotation, {
        step: 'settle',
        set: sql`promoted_at = null, roll_back_reason = null`,
        error,
        details: { version: rotation.base },
        also: (transaction) => returnPointer(transaction, rotation),
      }),
    failed: (rotation, { error, retryMs }) => noteFailure(sql, rotation, { error, retryMs }),
    undo: (rotation, error) => change(options, rotation, { step: 'undo', error }),
    end: (rotation) =>
      change(options, rotation, {
        step: rotation.step === 'undo' ? 'undone' : 'done',
        set: sql`ended_at = now()`,
        type: 'secret.rotation_ended',
        ...(rotation.step === 'undo'
          ? { error: rotation.error ?? '' }
          : { also: (transaction) => setDue(transaction, rotation.name) }),
      }),
  }
}

type Configuring = {
  readonly name: string
  readonly rotation: RotationSettings
  readonly by: string
}

async function configure(
  { sql, journal, now }: RotationJournalOptions,
  { name, rotation: { kind, settings, rotationDays }, by }: Configuring,
): Promise<void> {
  await recordedTransaction(sql, journal, async (transaction, write) => {
    const rows = await transaction`
      update postern_secret set kind = ${kind}, settings = ${JSON.stringify(settings)}::text::jsonb,
        due_at = due_at + make_interval(hours => 24 * (${rotationDays} - rotation_days)),
        rotation_days = ${rotationDays}
      where name = ${name} returning name`
    if (rows.length === 0) throw withoutPointer(name)
    const target = `secret/${name}`
    const details = { kind, rotationDays, by }
    await write([
      systemRecord({
        ...{ id: Bun.randomUUIDv7(), type: 'secret.changed', at: now(), outcome: 'ok' },
        ...{ target, details },
      }),
    ])
  })
}

function withoutPointer(name: string): PosternError {
  const detail = `No process has used ${name} yet; start one that does.`
  return new PosternError('secret.unknown', { reason: `no pointer of ${name}`, detail })
}

const alreadyOpen = z.object({
  code: z.literal('23505'),
  constraint_name: z.literal('postern_secret_rotation_open'),
})

type Planning = { readonly name: string; readonly by: string; readonly urgency: Urgency }

async function plan(
  { sql, journal, now }: RotationJournalOptions,
  { name, by, urgency }: Planning,
): Promise<Rotation> {
  const id = Bun.randomUUIDv7()
  try {
    return await recordedTransaction(sql, journal, async (transaction, write) => {
      const [rotation] = rotationsOf(
        await transaction`
          insert into postern_secret_rotation (id, name, step, epoch, base_version, next_try_at,
            opened_by, opened_at, is_urgent)
          select ${id}, name, 'stage', epoch, current_version, now(), ${by}, now(),
            ${urgency === 'urgent'}
          from postern_secret where name = ${name}
          returning ${rotationColumns(transaction)}`,
      )
      if (rotation === undefined) throw withoutPointer(name)
      await transaction`select pg_notify('postern_rotation', ${name})`
      await write([
        recordOf(rotation, now(), { type: 'secret.rotation_opened', details: { by, urgency } }),
      ])
      return rotation
    })
  } catch (error) {
    if (!alreadyOpen.safeParse(error).success) throw error
    const detail = `A rotation of ${name} is under way; let it end, or roll it back.`
    throw new PosternError('secret.rotation_open', { detail, cause: error })
  }
}

type Change = {
  readonly step: Rotation['step']
  readonly set?: ReturnType<Sql>
  /** Holds only while this is so, too. */
  readonly where?: ReturnType<Sql>
  readonly error?: string
  readonly type?: AuditType
  readonly details?: Readonly<Record<string, unknown>>
  /** In the same commit, behind the lock of the rotation's row. */
  readonly also?: (transaction: TransactionSql) => Promise<void>
}

async function change(
  { sql, journal, now }: RotationJournalOptions,
  rotation: Rotation,
  to: Change,
): Promise<Rotation> {
  const { id, step: from } = rotation
  const run = recordedTransaction(sql, journal, async (transaction, write) => {
    const [moved] = rotationsOf(
      await transaction`
        update postern_secret_rotation set step = ${to.step}, attempts = 0, next_try_at = now(),
          error = ${to.error ?? null} ${to.set === undefined ? sql`` : sql`, ${to.set}`}
        where id = ${id} and step = ${from}
          and promoted_at is not distinct from ${rotation.promotedAt ?? null}
          ${to.where ?? sql``}
        returning ${rotationColumns(transaction)}`,
    )
    if (moved === undefined) throw overtaken(rotation)
    await to.also?.(transaction)
    const details = { from, ...to.details }
    const type = to.type ?? 'secret.rotation_moved'
    await write([recordOf(moved, now(), { type, details, reason: to.error })])
    return moved
  })
  return await run.catch(rethrowAsOutage)
}

function recordOf(
  { id, name, step }: Rotation,
  at: Date,
  about: Pick<AuditRecord, 'type'> & {
    readonly details: Readonly<Record<string, unknown>>
    readonly reason?: string | undefined
  },
): AuditRecord {
  return systemRecord({
    id: Bun.randomUUIDv7(),
    type: about.type,
    at,
    target: `secret/${name}`,
    outcome: step === 'undo' || step === 'undone' ? 'failed' : 'ok',
    ...(about.reason === undefined || about.reason === '' ? {} : { reason: about.reason }),
    details: { rotation: id, step, ...about.details },
  })
}

function overtaken({ name, step }: Rotation): PosternError {
  const reason = `the rotation of ${name} is no longer at ${step}`
  return new PosternError('secret.rotation_overtaken', { reason })
}

async function movePointer(transaction: TransactionSql, rotation: Rotation): Promise<void> {
  const { name, epoch, base, pending = '', fingerprint = '' } = rotation
  const rows = await transaction`
    update postern_secret set previous_version = current_version, current_version = ${pending},
      previous_fingerprint = fingerprint, fingerprint = decode(${fingerprint}, 'hex'), epoch = epoch + 1, rotated_at = now()
    where name = ${name} and epoch = ${epoch.toString()}::bigint and current_version = ${base}
    returning pg_notify('postern_secret', name)::text`
  if (rows.length === 1) return
  const reason = `the pointer of ${name} was moved by somebody else`
  throw new PosternError('secret.target_refused', { reason })
}

async function returnPointer(transaction: TransactionSql, rotation: Rotation): Promise<void> {
  const { name, epoch, base, pending = '' } = rotation
  const rows = await transaction`
    update postern_secret set previous_version = current_version, current_version = ${base},
      previous_fingerprint = fingerprint, fingerprint = previous_fingerprint, epoch = epoch + 1
    where name = ${name} and epoch = ${epoch.toString()}::bigint + 1
      and current_version = ${pending}
    returning pg_notify('postern_secret', name)::text`
  if (rows.length !== 1) throw overtaken(rotation)
}

/**
 * Due dates are the database's: a restart moves none. A day is 24 hours: neither does a change of
 * the clocks, whatever time zone the session has.
 */
async function setDue(transaction: TransactionSql, name: string): Promise<void> {
  await transaction`
    update postern_secret set due_at = now() + make_interval(hours => 24 * rotation_days)
    where name = ${name}`
}

async function noteFailure(
  sql: Sql,
  rotation: Rotation,
  { error, retryMs }: { readonly error: string; readonly retryMs: number },
): Promise<Rotation> {
  const [noted] = rotationsOf(
    await sql`
      update postern_secret_rotation set attempts = attempts + 1, error = ${error},
        next_try_at = now() + make_interval(secs => ${retryMs / 1_000})
      where id = ${rotation.id} and step = ${rotation.step}
      returning ${rotationColumns(sql)}`.catch(rethrowAsOutage),
  )
  if (noted === undefined) throw overtaken(rotation)
  return noted
}
