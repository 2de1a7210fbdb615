import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../../audit/journal.ts'
import { recordedTransaction } from '../../audit/journal-rows.ts'
import { type AuditRecord, type AuditType, systemRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { type Rotation, rotationSteps } from './rotation.ts'
import type {
  RotationJournal,
  RotationSettings,
  SecretPointer,
  Unproved,
} from './rotation-journal.ts'

/** A process that has missed so many seconds of heartbeats is not waited for. */
const liveSeconds = 30

export type RotationJournalOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly now: () => Date
}

const stepSchema = z.enum([...rotationSteps, 'done', 'undone'])
const rotationRows = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    step: stepSchema,
    epoch: z.string().transform(BigInt),
    base: z.string(),
    pending: z.string().nullable(),
    fingerprint: z.string().nullable(),
    attempts: z.number(),
    error: z.string().nullable(),
    nextTryAt: z.date(),
    openedBy: z.string(),
    openedAt: z.date(),
    promotedAt: z.date().nullable(),
  }),
)
const pointerRows = z.array(
  z.object({
    name: z.string(),
    kind: z.string().nullable(),
    settings: z.unknown(),
    current: z.string(),
    previous: z.string().nullable(),
    fingerprint: z.string(),
    epoch: z.string().transform(BigInt),
    rotationDays: z.number(),
    dueAt: z.date(),
  }),
)

export function postgresRotationJournal(options: RotationJournalOptions): RotationJournal {
  const { sql } = options
  return {
    pointer: (name) => readPointer(sql, name).catch(rethrowAsOutage),
    plan: (name, by) => plan(options, name, by).catch(rethrowAsOutage),
    async read(id) {
      const [rotation] = rotationsOf(
        await sql`
          select ${rotationColumns(sql)} from postern_secret_rotation
          where id = ${id}`.catch(rethrowAsOutage),
      )
      if (rotation !== undefined) return rotation
      throw new PosternError('secret.not_found', { reason: `there is no rotation ${id}` })
    },
    history: (name, limit) => readHistory(sql, name, limit).catch(rethrowAsOutage),
    configure: (name, rotation, by) =>
      configure(options, { name, by, rotation }).catch(rethrowAsOutage),
    staged: (rotation, { pending, fingerprint }) =>
      change(options, rotation, {
        step: 'set',
        set: sql`pending_version = ${pending}, fingerprint = decode(${fingerprint}, 'hex')`,
        details: { version: pending },
      }),
    move: (rotation, step) => change(options, rotation, { step }),
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
        set: sql`promoted_at = null`,
        error,
        details: { version: rotation.base },
        also: (transaction) => returnPointer(transaction, rotation),
      }),
    unproved: (name) => readUnproved(sql, name).catch(rethrowAsOutage),
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

function rotationColumns(sql: Sql | TransactionSql) {
  return sql`id, name, step, epoch::text, base_version as base, pending_version as pending,
    encode(fingerprint, 'hex') as fingerprint, attempts, error, next_try_at as "nextTryAt",
    opened_by as "openedBy", opened_at as "openedAt", promoted_at as "promotedAt"`
}

function rotationsOf(rows: unknown): readonly Rotation[] {
  return rotationRows.parse(rows).map(({ pending, fingerprint, error, promotedAt, ...rest }) => ({
    ...rest,
    pending: pending ?? undefined,
    fingerprint: fingerprint ?? undefined,
    error: error ?? undefined,
    promotedAt: promotedAt ?? undefined,
  }))
}

async function readHistory(sql: Sql, name: string, limit: number): Promise<readonly Rotation[]> {
  return rotationsOf(
    await sql`
      select ${rotationColumns(sql)} from postern_secret_rotation where name = ${name}
      order by id desc limit ${limit}`,
  )
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
        due_at = due_at + make_interval(days => ${rotationDays} - rotation_days),
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
  return new PosternError('secret.not_found', { reason: `no pointer of ${name}`, detail })
}

async function readPointer(
  sql: Sql | TransactionSql,
  name: string,
): Promise<SecretPointer | undefined> {
  const [row] = pointerRows.parse(
    await sql`
      select name, kind, settings, current_version as current, previous_version as previous,
        encode(fingerprint, 'hex') as fingerprint, epoch::text, rotation_days as "rotationDays",
        due_at as "dueAt"
      from postern_secret where name = ${name}`,
  )
  if (row === undefined) return undefined
  return { ...row, kind: row.kind ?? undefined, previous: row.previous ?? undefined }
}

const alreadyOpen = z.object({
  code: z.literal('23505'),
  constraint_name: z.literal('postern_secret_rotation_open'),
})

async function plan({ sql, journal, now }: RotationJournalOptions, name: string, by: string) {
  const id = Bun.randomUUIDv7()
  try {
    return await recordedTransaction(sql, journal, async (transaction, write) => {
      const [rotation] = rotationsOf(
        await transaction`
          insert into postern_secret_rotation (id, name, step, epoch, base_version, next_try_at,
            opened_by, opened_at)
          select ${id}, name, 'stage', epoch, current_version, now(), ${by}, now()
          from postern_secret where name = ${name}
          returning ${rotationColumns(transaction)}`,
      )
      if (rotation === undefined) throw withoutPointer(name)
      await write([recordOf(rotation, now(), { type: 'secret.rotation_opened', details: { by } })])
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

/** Due dates are the database's: a restart, a clock change or a leap day moves none. */
async function setDue(transaction: TransactionSql, name: string): Promise<void> {
  await transaction`
    update postern_secret set due_at = now() + make_interval(days => rotation_days)
    where name = ${name}`
}

async function readUnproved(sql: Sql, name: string): Promise<readonly Unproved[]> {
  return await sql<Unproved[]>`
    select p.id as process, p.host, p.role
    from postern_secret s
    join postern_secret_ack a on a.name = s.name
    join postern_process p on p.id = a.process
      and p.seen_at > now() - make_interval(secs => ${liveSeconds})
    where s.name = ${name}
      and (a.version <> s.current_version or a.fingerprint <> s.fingerprint)
    order by p.id`
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
