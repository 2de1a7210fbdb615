import type { Redis } from 'ioredis'
import postgres, { type Sql } from 'postgres'
import { connectUnproved, redisLogin } from '#core/job/redis-connect.ts'
import { isLoginRefused } from '#core/postgres/outage.ts'
import { probeMs, wall } from './revocation-watch.ts'
import { redisSessions } from './rotation-probe.ts'
import { databaseSecret, type RotationStage, withPort } from './rotation-stage.ts'

/** Sessions that a thief keeps of those that he opens while he is being locked out. */
const keptMax = 20
const enterMsMax = 5_000

/** What a thief does with a login that he has stolen. */
type Tools = {
  readonly user: string
  /** Sessions of the user at the server, as its administrator sees them. */
  sessions(): Promise<number>
  /** A session more, that does nothing; throws where the login is refused. */
  enter(): Promise<{ leave(): void }>
  /** Sessions of every sort, opened before anybody notices. */
  settle(): Promise<void>
  close(): void
}

export type ThiefWatch = {
  readonly user: string
  isOver(): boolean
  /** When no new login was let in any more and no session was open; infinite until then. */
  overAt(): number
  aliveAt(): number
  stop(): Promise<readonly string[]>
}

/** Uses the login that is in force of a secret: with sessions that are open, and by logging in anew. */
export async function watchLogin(stage: RotationStage, name: string): Promise<ThiefWatch> {
  const [pointer] = await stage.sql<{ current: string }[]>`
    select current_version as current from postern_secret where name = ${name}`
  const { url = '' } = await stage.store.read(name, pointer?.current ?? '')
  const tools =
    name === databaseSecret
      ? postgresTools(stage, withPort(url, Number(new URL(stage.databaseUrl).port)))
      : redisTools(stage, url)
  await tools.settle()
  return watch(tools)
}

function watch(tools: Tools): ThiefWatch {
  const faults: string[] = []
  const kept: { leave(): void }[] = []
  let letInAt = 0
  let refusedAt: number | undefined
  let openAt = wall()
  let quietAt: number | undefined
  let isStopped = false

  async function enterOnce(): Promise<void> {
    const sentAt = wall()
    try {
      kept.push(await inTime(tools.enter()))
    } catch (error) {
      // A server that has no connection left refuses nobody.
      if (isRefusal(error)) refusedAt ??= wall()
      return
    }
    letInAt = sentAt
    if (refusedAt !== undefined) faults.push(`${tools.user} was let in after a refusal`)
    refusedAt = undefined
    if (kept.length > keptMax) kept.shift()?.leave()
  }

  async function enter(): Promise<void> {
    while (!isStopped) {
      await enterOnce()
      await Bun.sleep(probeMs)
    }
  }

  async function count(): Promise<void> {
    while (!isStopped) {
      const askedAt = wall()
      if ((await tools.sessions()) === 0) {
        quietAt ??= wall()
      } else {
        openAt = askedAt
        quietAt = undefined
      }
      await Bun.sleep(probeMs)
    }
  }

  const running = Promise.all([enter(), count()])
  const none = Number.POSITIVE_INFINITY
  const overAt = () => Math.max(refusedAt ?? none, quietAt ?? none)
  return {
    user: tools.user,
    overAt,
    isOver: () => Number.isFinite(overAt()),
    aliveAt: () => Math.max(letInAt, openAt),
    async stop() {
      isStopped = true
      await running.catch((error: unknown) => faults.push(String(error)))
      for (const session of kept) session.leave()
      tools.close()
      return faults
    },
  }
}

function isRefusal(error: unknown): boolean {
  return isLoginRefused(error) || (error instanceof Error && error.message.startsWith('WRONGPASS'))
}

/** A connection that the server ended in the middle of its login may never say so. */
async function inTime<Session>(session: Promise<Session>): Promise<Session> {
  const late = Bun.sleep(enterMsMax).then(() => {
    throw new Error('no answer')
  })
  return await Promise.race([session, late])
}

/** Not waited for: postgres.js ends what was ended from outside when it likes. */
function leave(session: Sql): void {
  void session.end({ timeout: 0 }).catch(() => undefined)
}

function postgresTools({ sql }: RotationStage, url: string): Tools {
  const user = new URL(url).username
  const open = () =>
    postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: 'thief' } })
  const sessions = [open(), open(), open()] as const
  return {
    user,
    async sessions() {
      const [row] = await sql<{ n: number }[]>`
        select count(*)::integer as n from pg_stat_activity where usename = ${user}`
      return row?.n ?? 0
    },
    async enter() {
      const session = open()
      try {
        await session`select 1`
      } catch (error) {
        leave(session)
        throw error
      }
      return { leave: () => leave(session) }
    },
    async settle() {
      const [idle, inTransaction, busy] = sessions
      await idle`select 1`
      await inTransaction.unsafe('begin')
      await inTransaction`select count(*) from postern_job`
      await busy`select 1`
      void busy`select pg_sleep(60)`.catch(() => undefined)
    },
    close() {
      for (const session of sessions) leave(session)
    },
  }
}

function redisTools({ redisUrl }: RotationStage, url: string): Tools {
  const { username, password } = redisLogin(url)
  const opened: Redis[] = []
  async function open(): Promise<Redis> {
    const connection = connectUnproved({ url, mode: 'development' })
    try {
      await connection.connect()
      await connection.auth(username, password)
    } catch (error) {
      connection.disconnect()
      throw error
    }
    return connection
  }
  return {
    user: username,
    sessions: () => redisSessions(redisUrl, username),
    async enter() {
      const connection = await open()
      return { leave: () => connection.disconnect() }
    },
    async settle() {
      const [idle, blocked, subscribed, queueing] = [
        ...[await open(), await open(), await open(), await open()],
      ] as const
      opened.push(idle, blocked, subscribed, queueing)
      await idle.ping()
      void blocked.call('BLPOP', 'thief', '0').catch(() => undefined)
      await subscribed.subscribe('thief')
      await queueing.call('MULTI')
    },
    close() {
      for (const connection of opened) connection.disconnect()
    },
  }
}
