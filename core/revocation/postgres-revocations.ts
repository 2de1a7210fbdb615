import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { Actor } from '../access/principal.ts'
import { leewaySeconds, tokenAgeSecondsMax } from '../access/verify-token.ts'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { type AuditType, callerRecord, systemRecord } from '../audit/record.ts'
import { PosternError } from '../errors.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import {
  needsSecond,
  personOf,
  type RevocationClass,
  type RevocationState,
  type Revoked,
  revocationClasses,
  revocationStates,
} from './revocation.ts'

/** Minutes after which the word of the first of two is forgotten. */
const askedMinutes = 15
/** No token lives longer; its row goes with it. */
const tokenSeconds = tokenAgeSecondsMax + 2 * leewaySeconds

const time = z.date().transform((at) => at.toISOString())

/** Snake case: it is answered as it is. */
export const revocationDocumentSchema = z.object({
  id: z.string(),
  class: z.enum(revocationClasses),
  issuer: z.string().nullable(),
  value: z.string(),
  state: z.enum(revocationStates),
  reason: z.string(),
  revoked_by: z.string(),
  second_by: z.string().nullable().meta({ description: 'Of the two who had to agree' }),
  revoked_at: z.string(),
  until: z.string().nullable().meta({ description: 'When it ends by itself; null: never' }),
  effective_at: z
    .string()
    .nullable()
    .meta({ description: 'Since when it is refused everywhere, open sessions included' }),
  effective_seconds: z.number().nullable(),
  error: z.string().nullable().meta({ description: 'Why it is not effective yet' }),
  lift_asked_by: z.string().nullable(),
  lifted_by: z.string().nullable(),
  lifted_at: z.string().nullable(),
})
revocationDocumentSchema.register(z.globalRegistry, { title: 'Revocation' })
export type RevocationDocument = z.infer<typeof revocationDocumentSchema>

const rowsSchema = z.array(
  z.object({
    ...revocationDocumentSchema.shape,
    revoked_at: time,
    until: time.nullable(),
    effective_at: time.nullable(),
    lifted_at: time.nullable(),
  }),
)

export type RevocationRequest = Revoked & {
  /** For people; goes into the table and the audit record's details. */
  readonly reason: string
  /** Undefined: as long as any token lives for a `jti`, for ever else. */
  readonly until: Date | undefined
  readonly by: Actor
}

export type LiftRequest = { readonly id: string; readonly reason: string; readonly by: Actor }

export type RevocationQuery = {
  readonly class?: RevocationClass | undefined
  readonly state?: RevocationState | undefined
  readonly limit: number
  /** The id of the last one seen. */
  readonly cursor?: string | undefined
}

/** Each change is one commit with its audit record and its number in the feed. */
export type Revocations = {
  /**
   * In force from the commit on, or `awaiting_second` until another person asks for the same within
   * 15 minutes. Asked again it is never made weaker. Throws `access.second_principal_needed` when
   * the first asks twice, and `database.unavailable`.
   */
  revoke(request: RevocationRequest): Promise<RevocationDocument>
  /**
   * Lifted once a second person asks for it; until then in force. Throws `revocation.not_found`,
   * `revocation.not_liftable`, `access.second_principal_needed` and `database.unavailable`.
   */
  lift(request: LiftRequest): Promise<RevocationDocument>
  /** Throws `revocation.not_found` and `database.unavailable`. */
  read(id: string): Promise<RevocationDocument>
  /** Newest first. Throws `database.unavailable`. */
  list(query: RevocationQuery): Promise<readonly RevocationDocument[]>
}

export type RevocationOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly now: () => Date
}

export function postgresRevocations(options: RevocationOptions): Revocations {
  const { sql } = options
  return {
    revoke: (request) => revoke(options, request).catch(rethrowAsOutage),
    lift: (request) => lift(options, request).catch(rethrowAsOutage),
    async read(id) {
      const [found] = rowsSchema.parse(
        await sql`
          select ${columns(sql)} from postern_revocation where id::text = ${id}`.catch(
          rethrowAsOutage,
        ),
      )
      return found ?? refuseUnknown(id)
    },
    async list({ class: of, state, limit, cursor }) {
      return rowsSchema.parse(
        await sql`
          select ${columns(sql)} from postern_revocation
          where (${of ?? null}::text is null or class = ${of ?? null})
            and (${state ?? null}::text is null or state = ${state ?? null})
            and (${cursor ?? null}::bigint is null or id < ${cursor ?? null}::bigint)
          order by postern_revocation.id desc limit ${limit}`.catch(rethrowAsOutage),
      )
    },
  }
}

function columns(sql: Sql | TransactionSql) {
  return sql`id::text, class, nullif(issuer, '') as issuer, value, state, reason, revoked_by,
    second_by, revoked_at, until, effective_at, error, lift_asked_by, lifted_by, lifted_at,
    extract(epoch from effective_at - in_force_at)::float8 as effective_seconds`
}

/**
 * `revoked_at` is when the first of the two asked; whoever asks for what is in force only prolongs
 * it. The row is there before it is locked, so that two who ask at once are first and second.
 */
async function revoke(
  options: RevocationOptions,
  request: RevocationRequest,
): Promise<RevocationDocument> {
  const { sql, journal } = options
  const { class: of, issuer, value, reason } = request
  const by = personOf(request.by)
  return await recordedTransaction(sql, journal, async (transaction, write) => {
    const seq = await nextInFeed(transaction)
    await transaction`
      insert into postern_revocation (class, issuer, value, reason, revoked_by, state)
      values (${of}, ${issuer}, ${value}, ${reason}, ${by}, 'new')
      on conflict do nothing`
    const [before] = await transaction<Before[]>`
      select state, revoked_by as "revokedBy", effective_at is not null as "isEffective",
        revoked_at > now() - make_interval(mins => ${askedMinutes}) as "isAskedLately"
      from postern_revocation where class = ${of} and issuer = ${issuer} and value = ${value}
      for update`
    const next = nextState(request, before)
    const [revoked] = rowsSchema.parse(
      await transaction`
        update postern_revocation set ${assignments(transaction, next, { request, by, seq, now: options.now() })}
        where class = ${of} and issuer = ${issuer} and value = ${value}
        returning ${columns(transaction)}`,
    )
    if (revoked === undefined) throw new Error('invariant: the row is locked')
    await write([recordOf(options, revoked, { type: typeOf(of), by: request.by, reason })])
    return revoked
  })
}

type Before = {
  readonly state: string
  readonly revokedBy: string
  readonly isEffective: boolean
  readonly isAskedLately: boolean
}
type Next = 'first' | 'second' | 'alone' | 'prolonged'

function nextState(request: RevocationRequest, before: Before | undefined): Next {
  if (before?.state === 'in_force') {
    // A login gets another password and may leak again; nothing else that is refused comes back.
    const isAgain = request.class === 'credential' && before.isEffective
    return isAgain ? 'alone' : 'prolonged'
  }
  if (!needsSecond(request)) return 'alone'
  const isSecond = before?.state === 'awaiting_second' && before.isAskedLately
  if (!isSecond) return 'first'
  if (before.revokedBy !== personOf(request.by)) return 'second'
  throw secondNeeded()
}

function assignments(
  sql: TransactionSql,
  next: Next,
  about: {
    readonly request: RevocationRequest
    readonly by: string
    readonly seq: string
    readonly now: Date
  },
) {
  const { request, by, seq, now } = about
  const until = endOf(sql, request, now)
  if (next === 'prolonged') {
    return sql`seq = ${seq}::bigint, until = case
      when until is null or ${until} is null then null else greatest(until, ${until}) end`
  }
  const fresh = sql`seq = ${seq}::bigint, until = ${until}, reason = ${request.reason},
    effective_at = null, error = null, lift_asked_by = null, lifted_by = null, lifted_at = null,
    in_force_at = clock_timestamp()`
  if (next === 'second') return sql`${fresh}, state = 'in_force', second_by = ${by}`
  const state = next === 'first' ? 'awaiting_second' : 'in_force'
  return sql`${fresh}, state = ${state}, revoked_by = ${by}, revoked_at = now(), second_by = null`
}

/** Of two clocks the later counts: an end that is too late refuses what has expired anyway. */
function endOf(sql: TransactionSql, { class: of, until }: RevocationRequest, now: Date) {
  if (until !== undefined) return sql`${until}::timestamptz`
  if (of !== 'jti') return sql`null::timestamptz`
  return sql`greatest(now(), ${now}::timestamptz) + make_interval(secs => ${tokenSeconds})`
}

async function lift(
  options: RevocationOptions,
  { id, reason, by: actor }: LiftRequest,
): Promise<RevocationDocument> {
  const { sql, journal } = options
  const by = personOf(actor)
  return await recordedTransaction(sql, journal, async (transaction, write) => {
    const seq = await nextInFeed(transaction)
    const [before] = await transaction<Liftable[]>`
      select class, state, lift_asked_by as "askedBy",
        coalesce(lift_asked_at > now() - make_interval(mins => ${askedMinutes}), false)
          as "isAskedLately"
      from postern_revocation where id::text = ${id} for update`
    const isSecond = isSecondToLift(before, by, id)
    const change = isSecond
      ? transaction`state = 'lifted', lifted_by = ${by}, lifted_at = now(), seq = ${seq}::bigint`
      : transaction`lift_asked_by = ${by}, lift_asked_at = now()`
    const [lifted] = rowsSchema.parse(
      await transaction`
        update postern_revocation set ${change} where id::text = ${id}
        returning ${columns(transaction)}`,
    )
    if (lifted === undefined) return refuseUnknown(id)
    const type = isSecond ? 'revocation.lifted' : 'revocation.lift_requested'
    await write([recordOf(options, lifted, { type, by: actor, reason })])
    return lifted
  })
}

type Liftable = {
  readonly class: RevocationClass
  readonly state: RevocationState
  readonly askedBy: string | null
  readonly isAskedLately: boolean
}

function isSecondToLift(before: Liftable | undefined, by: string, id: string): boolean {
  if (before === undefined) return refuseUnknown(id)
  const isOfSecret = before.class === 'secret' || before.class === 'credential'
  if (isOfSecret || before.state !== 'in_force') {
    const detail = isOfSecret
      ? 'A retired credential does not come back; rotate its secret.'
      : `The revocation is ${before.state}.`
    throw new PosternError('revocation.not_liftable', { detail })
  }
  if (before.askedBy === null || !before.isAskedLately) return false
  if (before.askedBy !== by) return true
  throw secondNeeded()
}

function secondNeeded(): PosternError {
  return new PosternError('access.second_principal_needed', {
    detail: 'This person has asked already; another one must ask for the same within 15 minutes.',
  })
}

function refuseUnknown(id: string): never {
  throw new PosternError('revocation.not_found', { detail: `There is no revocation ${id}.` })
}

/** Its lock is held until the commit: numbers become visible in their order. */
async function nextInFeed(transaction: TransactionSql): Promise<string> {
  const [row] = await transaction<{ seq: string }[]>`
    update postern_revocation_feed set seq = seq + 1
    returning seq::text, pg_notify('postern_revocation', seq::text)::text`
  if (row === undefined) throw new Error('invariant: the feed has its row')
  return row.seq
}

function typeOf(of: RevocationClass): AuditType {
  return of === 'secret' || of === 'credential' ? 'secret.revoked' : 'token.revoked'
}

function recordOf(
  { now }: RevocationOptions,
  document: RevocationDocument,
  about: { readonly type: AuditType; readonly by: Actor; readonly reason: string },
) {
  const { type, by, reason } = about
  const { id, class: of, issuer, value, state, until } = document
  const record = {
    id: Bun.randomUUIDv7(),
    type,
    at: now(),
    target: `revocation/${of}`,
    outcome: 'ok',
    details: {
      ...{ revocation: id, class: of, issuer: issuer ?? '', value, state, reason },
      until: until ?? undefined,
      ...(typeof by === 'string' ? { operator: by } : {}),
    },
  } as const
  return typeof by === 'string' ? systemRecord(record) : callerRecord(by, record)
}
