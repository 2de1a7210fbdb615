import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import { isLoginRefused } from '../../postgres/outage.ts'
import type { SecretMembers } from '../secret-store.ts'
import {
  type LoginPair,
  type LoginTarget,
  loginsIn,
  otherLogin,
  targetRefused,
  urlIn,
  userIn,
} from './login-pair.ts'
import type { HeldSession } from './rotation-target.ts'
import { scramVerifier } from './scram-verifier.ts'

/** Milliseconds between two looks for sessions: a login under way shows up late. */
const sessionScanMs = 1_000
/** Looks for sessions that end none before the retirement is given up for now. */
const sessionScansMax = 20

export type PostgresRoleOptions = LoginPair & {
  /**
   * The rotator's own login at the target: with `createrole`, an administrator of both users and
   * a member of `pg_signal_backend`.
   */
  readonly admin: Sql
  /** Opens one connection, or throws; the caller ends it. */
  readonly connect: (url: string) => Sql
}

/**
 * A Postgres login that is two users in turn: while both may log in nobody has to be quick, and
 * the sessions of the old one can be told from those of the new.
 */
export function postgresRoleTarget(options: PostgresRoleOptions): LoginTarget {
  const { admin, member } = options

  /** Undefined where the server refuses the login. */
  async function tryLogin<Answer>(
    members: SecretMembers,
    ask: (sql: Sql) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const sql = options.connect(urlIn(members, member).href)
    try {
      return await ask(sql)
    } catch (error) {
      if (isLoginRefused(error)) return undefined
      throw targetUnavailable(error)
    } finally {
      await sql.end({ timeout: 1 }).catch(() => undefined)
    }
  }

  return {
    generate: (current) => otherLogin(current, options),
    async set(succession) {
      if ((await tryLogin(succession.pending, sessionUser)) !== undefined) return
      const { from, to: user, password } = loginsIn(succession, member)
      if (!succession.isUrgent && (await tryLogin(succession.current, sessionUser)) === undefined) {
        throw targetRefused('the login in force is not let in at this server')
      }
      await asAdmin(async () => {
        await setLogin(admin, { user, password, grants: await grantedTo(admin, from) })
      })
    },
    async test({ current, pending }) {
      if ((await tryLogin(pending, sessionUser)) === undefined) {
        throw targetRefused('the pending login is not let in')
      }
      const [rights, pendingRights] = await asAdmin(() =>
        Promise.all([
          grantedTo(admin, userIn(current, member)),
          grantedTo(admin, userIn(pending, member)),
        ]),
      )
      const missing = rights.filter((role) => !pendingRights.includes(role))
      if (missing.length > 0) throw targetRefused(`the pending login lacks ${missing.join(', ')}`)
    },
    async retire({ retired }) {
      await asAdmin(() => endLogin(admin, userIn(retired, member)))
    },
    isRefused: async (retired) => (await tryLogin(retired, sessionUser)) === undefined,
    logins: {
      users: options.users,
      userOf: (members) => userIn(members, member),
      endUser: (user) => asAdmin(() => endLogin(admin, user)),
      hold: (members) => holdSession(options.connect(urlIn(members, member).href)),
    },
  }
}

/**
 * One backend, known by its pid: where it was ended the pool logs in anew, and is refused or gets
 * another one. (A reserved connection of postgres.js throws past its caller when it was ended.)
 */
async function holdSession(sql: Sql): Promise<HeldSession | undefined> {
  const close = () => sql.end({ timeout: 1 }).catch(() => undefined)
  const first = await backendOf(sql).catch(async (error: unknown) => {
    await close()
    if (isLoginRefused(error)) return undefined
    throw targetUnavailable(error)
  })
  if (first === undefined) return undefined
  return {
    isOpen: () =>
      backendOf(sql).then(
        (pid) => pid === first,
        () => false,
      ),
    close,
  }
}

async function backendOf(sql: Sql): Promise<number | undefined> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  return row?.pid
}

async function sessionUser(sql: Sql): Promise<string> {
  const [row] = await sql<{ name: string }[]>`select session_user as name`
  return row?.name ?? ''
}

/** What the login was granted itself; what a role may do is that role's. */
async function grantedTo(admin: Sql, user: string): Promise<readonly string[]> {
  const rows = await admin<{ role: string | null }[]>`
    select r.rolname as role from pg_roles u
    left join pg_auth_members m on m.member = u.oid
    left join pg_roles r on r.oid = m.roleid
    where u.rolname = ${user} order by 1`
  if (rows.length === 0) throw targetRefused(`the server has no user ${user}`)
  return rows.flatMap(({ role }) => role ?? [])
}

type SetLogin = {
  readonly user: string
  readonly password: string
  readonly grants: readonly string[]
}

/** `login` again too: the last retirement has taken it away. */
async function setLogin(admin: Sql, { user, password, grants }: SetLogin): Promise<void> {
  const [row] = await admin`select from pg_roles where rolname = ${user}`
  const verb = row === undefined ? 'create' : 'alter'
  const verifier = scramVerifier(password)
  await admin.unsafe(`${verb} role ${quoteName(user)} login password '${verifier}'`)
  for (const role of grants) {
    await admin.unsafe(`grant ${quoteName(role)} to ${quoteName(user)}`)
  }
}

/** No login first, then the sessions, until two looks in a row have found none. */
async function endLogin(admin: Sql, user: string): Promise<void> {
  const [row] = await admin`select from pg_roles where rolname = ${user}`
  if (row === undefined) return
  await admin.unsafe(`alter role ${quoteName(user)} nologin password null`)
  let isQuiet = false
  for (let scan = 0; scan < sessionScansMax; scan += 1) {
    const ended = await admin`
      select pg_terminate_backend(pid) from pg_stat_activity where usename = ${user}`
    if (ended.length === 0 && isQuiet) return
    isQuiet = ended.length === 0
    await Bun.sleep(isQuiet ? sessionScanMs : sessionScanMs / 10)
  }
  throw new Error(`sessions of ${user} do not end`)
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

async function asAdmin<Answer>(act: () => Promise<Answer>): Promise<Answer> {
  return await act().catch((error: unknown) => {
    throw targetUnavailable(error)
  })
}

function targetUnavailable(cause: unknown): PosternError {
  if (cause instanceof PosternError && cause.code === 'secret.target_refused') return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
  const reason = `the Postgres server of the secret: ${code}`
  return new PosternError('secret.target_unavailable', { reason, cause })
}
