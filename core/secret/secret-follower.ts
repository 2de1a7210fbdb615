import type { Sql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../audit/journal.ts'
import type { Log } from '../log.ts'
import { type OneAtATime, oneAtATime } from '../one-at-a-time.ts'
import { isLoginRefused, rethrowAsOutage } from '../postgres/outage.ts'
import { adoptPointer } from './rotation/adopt-pointer.ts'
import { type FingerprintKey, fingerprintOf, readFingerprintKey } from './rotation/fingerprint.ts'
import type { SecretPointers } from './secret-pointers.ts'
import type { SecretMembers, SecretStore } from './secret-store.ts'

/** Milliseconds until a pointer that was moved is found without its notification. */
const pollMsDefault = 1_000
/** Milliseconds until what could not be taken over is tried again. */
const retryMs = 1_000
/** Milliseconds that our own login may be refused: a slip in the server's rules is mended sooner. */
const lockedOutMsMaxDefault = 10_000
const channel = 'postern_secret'

/** How a process uses a secret. */
export type SecretUse = {
  readonly name: string
  /** What it was started with. */
  readonly version: string
  readonly members: SecretMembers
  /**
   * Logs in with the members of another version and changes over to them. Resolves when nothing of
   * this process uses the one before any more. Rejects where they are refused, with that one in use, and
   * where some connection could not change over, with either.
   */
  readonly adopt: (members: SecretMembers) => Promise<void>
  /**
   * Of the login by which pointers are read: whether other members open the same database. Once it
   * is refused no pointer can be read any more, and what the store calls current is tried.
   */
  readonly opensSame?: (members: SecretMembers) => boolean
}

export type FollowedStore = Pick<SecretStore, 'read' | 'currentVersion'> & {
  /** A read that is recorded once it can be: by the login that it gives. */
  readonly readOwing?: SecretStore['read']
}

export type SecretFollower = {
  /** Resolves when the process uses what is in force and has said so, or could not; then it goes on trying. */
  follow(use: SecretUse): Promise<void>
  close(): Promise<void>
}

export type SecretFollowerOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly store: FollowedStore
  /** Of the process registry. */
  readonly process: string
  readonly log: Log
  readonly now: () => Date
  /** Told of all pointers, whoever uses them. */
  readonly pointers?: SecretPointers
  /** `role@host`, in the count of uses. */
  readonly usedBy?: string
  readonly pollMs?: number
  /**
   * Our own login is refused, and has been for 10 s: it was retired while we were stopped for so long
   * that nobody waited for us. Nobody tells us of another one.
   */
  readonly onLockedOut?: (error: unknown) => void
  readonly lockedOutMsMax?: number
}

type Followed = SecretUse & {
  /** Undefined while it is not known: some of the process may have changed over, and the rest not. */
  inUse: string | undefined
  fingerprint: string
  proved: string | undefined
  looks: OneAtATime
  retry: Timer | undefined
}

/**
 * Takes a process over to the version of each secret that the pointer says, and proves it there:
 * what was in force before dies only when all live processes have done so. Each secret by itself:
 * the wait for a blocked read of one must not outlast the login of another.
 */
export async function secretFollower(options: SecretFollowerOptions): Promise<SecretFollower> {
  const { sql, log, pollMs = pollMsDefault } = options
  const key = await readFingerprintKey(sql)
  const followed = new Map<string, Followed>()
  const heardOf = watchLockedOut(options)
  const hearing = oneAtATime(() =>
    hearPointers(options).then(
      () => heardOf(undefined),
      (error: unknown) => {
        log.warn('secret.unheard', { error })
        heardOf(error)
      },
    ),
  )

  /** One at a time: what fails at every look must not be looked at ever more often. */
  function retry(use: Followed): void {
    clearTimeout(use.retry)
    use.retry = setTimeout(() => void use.looks.again(), retryMs)
    use.retry.unref()
  }

  async function look(use: Followed): Promise<void> {
    try {
      await catchUp(options, key, use)
    } catch (error) {
      log.warn('secret.not_followed', { of: use.name, error })
      if (isLoginRefused(error)) await enterAnew(options, key, use)
      // A rotation waits for it.
      retry(use)
    }
  }

  function lookAtAll(how: 'again' | 'unlessRunning'): void {
    void hearing[how]()
    for (const { looks } of followed.values()) void looks[how]()
  }

  const listening = await sql.listen(channel, () => lookAtAll('again')).catch(rethrowAsOutage)
  const timer = setInterval(() => lookAtAll('unlessRunning'), pollMs)
  timer.unref()
  return {
    async follow(use) {
      const fingerprint = fingerprintOf(key, use.name, use.members)
      await register(options, use, fingerprint).catch(rethrowAsOutage)
      const one: Followed = {
        ...{ ...use, inUse: use.version, fingerprint, proved: undefined, retry: undefined },
        looks: oneAtATime(() => look(one)),
      }
      followed.set(use.name, one)
      await Promise.all([hearing.again(), one.looks.again()])
    },
    async close() {
      clearInterval(timer)
      for (const { retry: late } of followed.values()) clearTimeout(late)
      await listening.unlisten().catch(() => undefined)
      await Promise.all([hearing, ...[...followed.values()].map(({ looks }) => looks)].map(end))
      await sql`delete from postern_secret_ack where process = ${options.process}`.catch(
        () => undefined,
      )
    },
  }
}

const end = (looks: OneAtATime) => looks.close()

/** Told of how each look ends, `undefined` for well: other outages say nothing of our login. */
function watchLockedOut({
  onLockedOut,
  lockedOutMsMax = lockedOutMsMaxDefault,
}: SecretFollowerOptions): (error: unknown) => void {
  let refusedAtMs: number | undefined
  return (error) => {
    if (error === undefined) refusedAtMs = undefined
    if (!isLoginRefused(error)) return
    refusedAtMs ??= performance.now()
    if (performance.now() - refusedAtMs >= lockedOutMsMax) onLockedOut?.(error)
  }
}

/** The use first, unproved, so that a rotation under way waits for it; then a pointer, if there is none. */
async function register(
  { sql, journal, process, now }: SecretFollowerOptions,
  { name, version }: SecretUse,
  fingerprint: string,
): Promise<void> {
  await sql`
    delete from postern_secret_ack a
    where not exists (select from postern_process p where p.id = a.process)`
  await registerUse(sql, process, name)
  await adoptPointer({ sql, journal, now }, { name, version, fingerprint })
}

async function registerUse(sql: Sql, process: string, name: string): Promise<void> {
  await sql`
    insert into postern_secret_ack (process, name, version, fingerprint)
    values (${process}, ${name}, '', '') on conflict do nothing`
}

/** A configuration has tens. */
const namesMax = 200

/** And counts what was used since. */
async function hearPointers({ sql, pointers, usedBy }: SecretFollowerOptions): Promise<void> {
  if (pointers === undefined) return
  const askedAtMs = performance.now()
  const rows = await sql<{ name: string; version: string }[]>`
    select name, current_version as version from postern_secret order by name limit ${namesMax}`
  pointers.hear(new Map(rows.map(({ name, version }) => [name, version])), askedAtMs)
  const uses = pointers.takeUses()
  if (usedBy === undefined || uses.size === 0) return
  const list = [...uses].map(([name, reads]) => ({ name, reads }))
  await sql`
    insert into postern_secret_use as u (name, used_by, reads)
    select name, ${usedBy}, reads
    from jsonb_to_recordset(${JSON.stringify(list)}::text::jsonb) as l(name text, reads bigint)
    on conflict (name, used_by) do update
      set reads = u.reads + excluded.reads, last_at = now()`.catch((error: unknown) => {
    pointers.giveBack(uses)
    throw error
  })
}

const pointerRows = z.array(
  z.object({
    current: z.string(),
    fingerprint: z.string(),
    epoch: z.string(),
    isRegistered: z.boolean(),
  }),
)

async function catchUp(
  options: SecretFollowerOptions,
  key: FingerprintKey,
  use: Followed,
): Promise<void> {
  const { sql, store, process, log } = options
  const [pointer] = pointerRows.parse(
    await sql`
      select current_version as current, encode(fingerprint, 'hex') as fingerprint, epoch::text,
        exists (
          select from postern_secret_ack a where a.process = ${process} and a.name = s.name
        ) as "isRegistered"
      from postern_secret s where name = ${use.name}`,
  )
  if (pointer === undefined) return
  if (!pointer.isRegistered) {
    // Taken for gone: the database was away, or its clock jumped, by more than a day.
    await registerUse(sql, process, use.name)
    use.proved = undefined
  }
  if (pointer.epoch === use.proved) return
  if (pointer.current !== use.inUse) {
    const members = await store.read(use.name, pointer.current)
    const fingerprint = fingerprintOf(key, use.name, members)
    if (fingerprint === pointer.fingerprint) {
      use.inUse = undefined
      await use.adopt(members)
      log.info('secret.adopted', { of: use.name, version: pointer.current })
      use.inUse = pointer.current
    }
    use.fingerprint = fingerprint
  }
  if (use.fingerprint !== pointer.fingerprint) {
    // Never adopted, and never proved: the rotation waits, and a person is told.
    log.error('secret.other_environment', { of: use.name, version: pointer.current })
    return
  }
  await sql`
    update postern_secret_ack set version = ${pointer.current},
      fingerprint = decode(${use.fingerprint}, 'hex'), proved_at = now()
    where process = ${process} and name = ${use.name}`
  use.proved = pointer.epoch
}

/**
 * A revoked login is ended whoever still uses it. The store is what a process without Postgres
 * starts by; the pointer has the last word as soon as it can be read.
 */
async function enterAnew(
  { store, log }: SecretFollowerOptions,
  key: FingerprintKey,
  use: Followed,
): Promise<void> {
  if (use.opensSame === undefined) return
  try {
    const version = await store.currentVersion(use.name)
    if (version === use.inUse) return
    const members = await (store.readOwing ?? store.read)(use.name, version)
    if (!use.opensSame(members)) {
      log.error('secret.other_environment', { of: use.name, version })
      return
    }
    use.inUse = undefined
    await use.adopt(members)
    log.warn('secret.entered_anew', { of: use.name, version })
    use.inUse = version
    use.fingerprint = fingerprintOf(key, use.name, members)
  } catch (error) {
    log.warn('secret.locked_out', { of: use.name, error })
  }
}
