import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { type Rotation, retrySecondsMax, rotationSteps } from './rotation.ts'
import type { RotationJournal, SecretPointer, Unproved } from './rotation-journal.ts'

/** A process whose last heartbeat is as old, or as far ahead, is silent. */
const silentSeconds = 30

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
    isUrgent: z.boolean(),
    rollBackReason: z.string().nullable(),
    isDrained: z.boolean(),
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

export function rotationColumns(sql: Sql | TransactionSql) {
  return sql`id, name, step, epoch::text, base_version as base, pending_version as pending,
    encode(fingerprint, 'hex') as fingerprint, attempts, error, next_try_at as "nextTryAt",
    opened_by as "openedBy", opened_at as "openedAt", promoted_at as "promotedAt",
    is_urgent as "isUrgent", roll_back_reason as "rollBackReason", coalesce(retire_after <= now(), true) as "isDrained"`
}

export function rotationsOf(rows: unknown): readonly Rotation[] {
  return rotationRows.parse(rows).map(({ pending, fingerprint, error, promotedAt, ...rest }) => ({
    ...rest,
    rollBackReason: rest.rollBackReason ?? undefined,
    pending: pending ?? undefined,
    fingerprint: fingerprint ?? undefined,
    error: error ?? undefined,
    promotedAt: promotedAt ?? undefined,
  }))
}

/** What the journal tells and changes nothing. */
export function rotationReads(
  sql: Sql,
): Pick<RotationJournal, 'pointer' | 'read' | 'history' | 'due' | 'unproved'> {
  return {
    pointer: (name) => readPointer(sql, name).catch(rethrowAsOutage),
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
    due: () => readDue(sql).catch(rethrowAsOutage),
    unproved: (name) => readUnproved(sql, name).catch(rethrowAsOutage),
  }
}

async function readHistory(sql: Sql, name: string, limit: number): Promise<readonly Rotation[]> {
  return rotationsOf(
    await sql`
      select ${rotationColumns(sql)} from postern_secret_rotation where name = ${name}
      order by id desc limit ${limit}`,
  )
}

/**
 * Open ones whose next step may be tried now, those of revoked versions first. One that is put off
 * further than any failure puts it off was so before the clock was set back.
 */
async function readDue(sql: Sql): Promise<readonly Rotation[]> {
  return rotationsOf(
    await sql`
      select ${rotationColumns(sql)} from postern_secret_rotation
      where ended_at is null and coalesce(retire_after <= now(), true)
        and (next_try_at <= now() or next_try_at > now() + make_interval(secs => ${retrySecondsMax}))
      order by is_urgent desc, id`,
  )
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

async function readUnproved(sql: Sql, name: string): Promise<readonly Unproved[]> {
  return await sql<Unproved[]>`
    select p.id as process, p.host, p.role,
      p.seen_at not between now() - make_interval(secs => ${silentSeconds})
        and now() + make_interval(secs => ${silentSeconds}) as "isSilent"
    from postern_secret s
    join postern_secret_ack a on a.name = s.name
    join postern_process p on p.id = a.process
    where s.name = ${name}
      and (a.version <> s.current_version or a.fingerprint <> s.fingerprint)
    order by p.id`
}
