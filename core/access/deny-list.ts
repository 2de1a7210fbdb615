import type { Sql } from 'postgres'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { callerRecord, systemRecord } from '../audit/record.ts'
import type { Log } from '../log.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import type { Caller, Principal } from './principal.ts'
import { leewaySeconds, tokenAgeSecondsMax } from './verify-token.ts'

export const revocableClaims = ['jti', 'sub', 'kid'] as const
export type RevocableClaim = (typeof revocableClaims)[number]

/** What must no longer be admitted, whatever its signature says. Safe concurrently. */
export type DenyList = {
  /** The claim by which the principal is denied. Pure and quick. */
  deniedBy(principal: Principal): RevocableClaim | undefined
  /** False until it was read once: then nobody may be admitted. */
  isLoaded(): boolean
  /** Called whenever an entry came or went. */
  onChange(listener: () => void): void
  /** Reads it now; resolves when it was tried. */
  nudge(): Promise<void>
  close(): void
}

/** Half of what lies between a revocation and its effect everywhere; the nudge makes it less. */
const pollMs = 2_000
/** After this a query is given up: a frozen Postgres must not end the polling. */
const queryMsMax = 5_000

/**
 * Reads `postern_revocation` every two seconds. While Postgres is away it keeps what it has and
 * goes on trying. Resolves after the first attempt, good or not.
 */
export async function openDenyList(options: {
  readonly sql: Sql
  readonly log: Log
}): Promise<DenyList> {
  const { sql, log } = options
  const listeners: (() => void)[] = []
  let denied: ReadonlySet<string> | undefined
  let seen = ''
  let isStale = false
  let running: Promise<void> | undefined

  async function load(): Promise<void> {
    try {
      const mark = await readMark(sql)
      if (mark !== seen) {
        denied = await readDenied(sql)
        seen = mark
        for (const listener of listeners) listener()
      }
      if (isStale) log.info('deny_list.recovered')
      isStale = false
    } catch (error) {
      if (!isStale) log.warn('deny_list.stale', { error })
      isStale = true
    }
  }

  function nudge(): Promise<void> {
    running ??= load().finally(() => {
      running = undefined
    })
    return running
  }

  const timer = setInterval(() => void nudge(), pollMs)
  timer.unref()
  await nudge()

  return {
    deniedBy: (principal) => deniedBy(denied, principal),
    isLoaded: () => denied !== undefined,
    onChange: (listener) => void listeners.push(listener),
    nudge,
    close: () => clearInterval(timer),
  }
}

/** Issuers hold no white space, so the key is unambiguous. */
export function denialKey(issuer: string, claim: RevocableClaim, value: string): string {
  return `${claim} ${issuer} ${value}`
}

export function deniedBy(
  denied: ReadonlySet<string> | undefined,
  { issuer, tokenId, subject, keyId, mintedBy }: Principal,
): RevocableClaim | undefined {
  if (denied === undefined || denied.size === 0) return undefined
  if (denied.has(denialKey(issuer, 'jti', tokenId))) return 'jti'
  if (denied.has(denialKey(issuer, 'sub', subject))) return 'sub'
  if (mintedBy !== undefined && denied.has(`sub ${mintedBy}`)) return 'sub'
  return denied.has(denialKey(issuer, 'kid', keyId)) ? 'kid' : undefined
}

/**
 * Changes with every row that comes, goes, expires or is prolonged. The greatest id alone would
 * miss a transaction that took its id early and committed late.
 */
async function readMark(sql: Sql): Promise<string> {
  const query = sql<{ mark: string }[]>`
    select count(*) || ' ' || coalesce(max(id), 0) || ' ' || coalesce(max(expires_at)::text, '')
      as mark
    from postern_revocation where expires_at is null or expires_at > now()`
  const [row] = await inTime(query)
  return row?.mark ?? ''
}

async function readDenied(sql: Sql): Promise<ReadonlySet<string>> {
  const query = sql<{ issuer: string; claim: RevocableClaim; value: string }[]>`
    select issuer, claim, value from postern_revocation
    where expires_at is null or expires_at > now()`
  const rows = await inTime(query)
  return new Set(rows.map((row) => denialKey(row.issuer, row.claim, row.value)))
}

/** Not cancelled: that opens a connection whose failure postgres.js lets nobody catch. */
async function inTime<Rows>(query: Promise<Rows>): Promise<Rows> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = () => reject(new Error('the deny list was not read in time'))
  const timer = setTimeout(late, queryMsMax)
  try {
    return await Promise.race([query, promise])
  } finally {
    clearTimeout(timer)
  }
}

export type Revocation = {
  readonly issuer: string
  readonly claim: RevocableClaim
  readonly value: string
  /** For people; goes into the table and the audit record's details. */
  readonly reason: string
  /** Who asked over HTTP, or the operator's name at a terminal. */
  readonly by: Caller | string
  readonly at: Date
}

/**
 * Denies a token, a subject or a signing key, with its audit record in the same transaction. A
 * token's entry lasts as long as any token can, the others until they are taken out. Throws
 * `database.unavailable`.
 */
export async function revoke(
  sql: Sql,
  journal: AuditJournal,
  revocation: Revocation,
): Promise<void> {
  const { issuer, claim, value, reason, by, at } = revocation
  const id = Bun.randomUUIDv7()
  const record = {
    id,
    type: 'token.revoked',
    at,
    target: `revocation/${claim}`,
    outcome: 'ok',
    details: { issuer, claim, value, reason, ...(typeof by === 'string' ? { operator: by } : {}) },
  } as const
  const audit = typeof by === 'string' ? systemRecord(record) : callerRecord(by, record)
  const operator = typeof by === 'string' ? by : `${by.principal.issuer} ${by.principal.subject}`
  const lifetimeSeconds = claim === 'jti' ? tokenAgeSecondsMax + 2 * leewaySeconds : null
  await recordedTransaction(sql, journal, async (transaction, write) => {
    await transaction`
      insert into postern_revocation (issuer, claim, value, reason, revoked_by, expires_at)
      values (${issuer}, ${claim}, ${value}, ${reason}, ${operator},
        now() + ${lifetimeSeconds}::float8 * interval '1 second')
      on conflict (issuer, claim, value) do update
        set expires_at = excluded.expires_at, reason = excluded.reason,
          revoked_by = excluded.revoked_by, revoked_at = now()`
    await write([audit])
  }).catch(rethrowAsOutage)
}
