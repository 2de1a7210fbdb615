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
      const { to: user, password } = loginsIn(succession, member)
      if ((await tryLogin(succession.current, sessionUser)) === undefined) {
        throw targetRefused('the login in force is not let in at this server')
      }
      const grants = await tryLogin(succession.current, grantedRoles)
      await setLogin(admin, { user, password, grants: grants ?? [] }).catch((error: unknown) => {
        throw targetUnavailable(error)
      })
    },
    async test({ current, pending }) {
      const rights = await tryLogin(current, grantedRoles)
      const pendingRights = await tryLogin(pending, grantedRoles)
      if (pendingRights === undefined) throw targetRefused('the pending login is not let in')
      const missing = (rights ?? []).filter((role) => !pendingRights.includes(role))
      if (missing.length > 0) throw targetRefused(`the pending login lacks ${missing.join(', ')}`)
    },
    async retire({ retired }) {
      const user = userIn(retired, member)
      await endLogin(admin, user).catch((error: unknown) => {
        throw targetUnavailable(error)
      })
    },
    isRefused: async (retired) => (await tryLogin(retired, sessionUser)) === undefined,
    logins: {
      users: options.users,
      userOf: (members) => userIn(members, member),
      endUser: (user) =>
        endLogin(admin, user).catch((error: unknown) => {
          throw targetUnavailable(error)
        }),
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
async function grantedRoles(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select r.rolname as name from pg_auth_members m
    join pg_roles r on r.oid = m.roleid
    join pg_roles u on u.oid = m.member
    where u.rolname = session_user order by 1`
  return rows.map(({ name }) => name)
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

function targetUnavailable(cause: unknown): PosternError {
  if (cause instanceof PosternError && cause.code === 'secret.target_refused') return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
  const reason = `the Postgres server of the secret: ${code}`
  return new PosternError('secret.target_unavailable', { reason, cause })
}
