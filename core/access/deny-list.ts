import type { Sql } from 'postgres'
import { inTime } from '../in-time.ts'
import type { Log } from '../log.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { type TokenClass, tokenClasses } from '../revocation/revocation.ts'
import type { Principal } from './principal.ts'

/** What must no longer be admitted, whatever its signature says. Safe concurrently. */
export type DenyList = {
  /** The class by which the principal is denied. Pure and quick. */
  deniedBy(principal: Principal): TokenClass | undefined
  /** False until it was read once: then nobody may be admitted. */
  isLoaded(): boolean
  /**
   * False once it was not read for 15 s: what was revoked meanwhile is not known, and nobody may be
   * admitted. Quick.
   */
  isHeard(): boolean
  /**
   * Called whenever an entry came or went. What it returns is waited for before the change is
   * acknowledged, `listenMsMax` at the most; it must not reject.
   */
  onChange(listener: () => unknown): void
  /** Reads it now; resolves when it was tried. */
  nudge(): Promise<void>
  close(): Promise<void>
}

/** A revocation that every live gateway heeds, told to one process only. */
export type Effect = { readonly class: TokenClass; readonly seconds: number }

export type DenyListOptions = {
  readonly sql: Sql
  readonly log: Log
  /** Of the process registry: whoever revokes wants to know that this gateway has heard of it. */
  readonly process: string
  readonly onEffect?: (effect: Effect) => void
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs?: () => number
  /** The clock by which a token expires here. */
  readonly now?: () => Date
}

/** A notification comes first; this is for when none does. */
const pollMs = 1_000
/** After this a query is given up: a frozen Postgres must not end the polling. */
const queryMsMax = 5_000
/**
 * Whoever revokes may count on 60 s: a quarter of it may pass unheard. Little is lost by refusing that
 * soon, since a gateway without Postgres has next to nothing to answer.
 */
const heardMsMax = 15_000
/**
 * Seconds since its last heartbeat after which a gateway is dead or refuses by itself: `heardMsMax`,
 * the 2 s between two heartbeats and 5 s that one may take.
 */
const liveSeconds = 22
/** For open sessions to end; those that do not are looked at every second anyway. */
const listenMsMax = 1_000
const channel = 'postern_revocation'

/**
 * Reads `postern_revocation` when it is told of a change, and every second. While Postgres is away
 * it keeps what it has and goes on trying. Resolves after the first attempt, good or not.
 */
export async function openDenyList(options: DenyListOptions): Promise<DenyList> {
  const { sql, log, process, monotonicMs = () => performance.now() } = options
  const { now = () => new Date() } = options
  const listeners: (() => unknown)[] = []
  let denied: ReadonlySet<string> | undefined
  let seen = ''
  let heardAtMs = Number.NEGATIVE_INFINITY
  let isStale = false

  async function read(): Promise<void> {
    // The age counts from before the question: what happens behind it is not in the answer.
    const askedAtMs = monotonicMs()
    const { seq, mark, isPending } = await readMark(sql, now())
    if (mark !== seen) {
      denied = await readDenied(sql, now())
      await Promise.race([Promise.all(listeners.map((tell) => tell())), Bun.sleep(listenMsMax)])
      await acknowledge(sql, process, seq)
      seen = mark
    }
    heardAtMs = askedAtMs
    if (isPending) await tellEffects(options)
  }

  async function load(): Promise<void> {
    try {
      await read()
      if (isStale) log.info('deny_list.recovered')
      isStale = false
    } catch (error) {
      if (!isStale) log.warn('deny_list.stale', { error })
      isStale = true
    }
  }

  const looks = oneAtATime(load)
  const timer = setInterval(() => void looks.unlessRunning(), pollMs)
  timer.unref()
  await looks.again()
  const listening = listenInTime(sql, () => void looks.again())

  return {
    deniedBy: (principal) => deniedBy(denied, principal),
    isLoaded: () => denied !== undefined,
    isHeard: () => monotonicMs() - heardAtMs < heardMsMax,
    onChange: (listener) => void listeners.push(listener),
    nudge: looks.again,
    async close() {
      clearInterval(timer)
      // Not waited for: where the server is away it never came about.
      void listening.then((open) => open?.unlisten()).catch(() => undefined)
      await looks.close()
      await sql`delete from postern_revocation_ack where process = ${process}`.catch(
        () => undefined,
      )
    },
  }
}

async function tellEffects({ sql, onEffect }: DenyListOptions): Promise<void> {
  for (const effect of await settleEffects(sql)) onEffect?.(effect)
}

/** postgres.js tries for ever to listen: a gateway starts without, and polls. */
async function listenInTime(sql: Sql, onNotify: () => void) {
  return await sql.listen(channel, onNotify).catch(() => undefined)
}

/** Issuers hold no white space, so the key is unambiguous. */
export function denialKey(issuer: string, of: TokenClass, value: string): string {
  return `${of} ${issuer} ${value}`
}

export function deniedBy(
  denied: ReadonlySet<string> | undefined,
  { issuer, tokenId, subject, keyId, mintedBy }: Principal,
): TokenClass | undefined {
  if (denied === undefined || denied.size === 0) return undefined
  if (denied.has(denialKey(issuer, 'jti', tokenId))) return 'jti'
  if (denied.has(denialKey(issuer, 'sub', subject))) return 'sub'
  if (denied.has(denialKey(issuer, 'kid', keyId))) return 'kid'
  if (mintedBy !== undefined && isMinterDenied(denied, mintedBy)) return 'sub'
  return denied.has(denialKey(issuer, 'iss', '')) ? 'iss' : undefined
}

/** With who had a token made dies the token, whoever is named as its subject. */
function isMinterDenied(denied: ReadonlySet<string>, minter: string): boolean {
  const [issuer = ''] = minter.split(' ', 1)
  return denied.has(`sub ${minter}`) || denied.has(denialKey(issuer, 'iss', ''))
}

type Mark = { readonly seq: string; readonly mark: string; readonly isPending: boolean }

/** The feed's number changes with every row that comes or goes, the count with one that ends by itself. */
async function readMark(sql: Sql, now: Date): Promise<Mark> {
  const query = sql<Mark[]>`
    select f.seq::text as seq,
      f.seq || ' ' || (
        select count(*) from postern_revocation where ${isDenied(sql, now)}
      ) as mark,
      exists (
        select from postern_revocation
        where state = 'in_force' and effective_at is null and class = any(${[...tokenClasses]})
      ) as "isPending"
    from postern_revocation_feed f`
  const [row] = await answered(query)
  if (row === undefined) throw new Error('postern_revocation_feed is empty')
  return row
}

/**
 * An entry has ended once it has by both clocks: a token expires by ours, and Postgres's, which sets the
 * end, may jump.
 */
function isDenied(sql: Sql, now: Date) {
  return sql`state = 'in_force' and class = any(${[...tokenClasses]})
    and (until is null or until > least(now(), ${now}::timestamptz))`
}

async function readDenied(sql: Sql, now: Date): Promise<ReadonlySet<string>> {
  const query = sql<{ issuer: string; class: TokenClass; value: string }[]>`
    select issuer, class, value from postern_revocation where ${isDenied(sql, now)}`
  const rows = await answered(query)
  return new Set(rows.map((row) => denialKey(row.issuer, row.class, row.value)))
}

async function acknowledge(sql: Sql, process: string, seq: string): Promise<void> {
  await answered(sql`
    insert into postern_revocation_ack (process, seq) values (${process}, ${seq}::bigint)
    on conflict (process) do update set seq = excluded.seq, heard_at = now()`)
}

/** Effective once every live gateway has heard of it. A gateway that hears nothing refuses by itself. */
async function settleEffects(sql: Sql): Promise<readonly Effect[]> {
  return await answered(sql<Effect[]>`
    update postern_revocation r set effective_at = clock_timestamp()
    where r.state = 'in_force' and r.effective_at is null and r.class = any(${[...tokenClasses]})
      and not exists (
        select from postern_process p left join postern_revocation_ack a on a.process = p.id
        where p.role like '%gateway%' and p.seen_at > now() - make_interval(secs => ${liveSeconds})
          and coalesce(a.seq, -1) < r.seq)
    returning class, extract(epoch from effective_at - in_force_at)::float8 as seconds`)
}

/** Not cancelled: that opens a connection whose failure postgres.js lets nobody catch. */
async function answered<Rows>(query: Promise<Rows>): Promise<Rows> {
  const late = () => new Error('the deny list was not read in time')
  return await inTime(query, queryMsMax, late).catch(rethrowAsOutage)
}
