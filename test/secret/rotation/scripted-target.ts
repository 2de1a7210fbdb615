import { PosternError } from '#core/errors.ts'
import type { RotationTarget } from '#core/secret/rotation/rotation-target.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'

type Login = { password: string | undefined; isOn: boolean }
type Session = { readonly user: string; isOpen: boolean }

export type ScriptedTarget = RotationTarget & {
  /** Undefined where the login is refused. */
  logIn(members: SecretMembers): Session | undefined
  readonly sessions: readonly Session[]
  /** Whoever logs in as this user is refused what its job needs. */
  withholdFrom(user: string | undefined): void
  /** Somebody logs in with these and changes the password; absent where nobody can. */
  readonly thief?: {
    steal(members: SecretMembers): void
    /** The login is the thief's until it is given another password. */
    has(members: SecretMembers): boolean
    isIn(): boolean
  }
  /** What is wrong there once a rotation has ended. */
  faultsAtEnd?(): readonly string[]
}

export const pair = ['app_a', 'app_b'] as const

const userOf = ({ user = '' }: SecretMembers) => user

/** A server with two logins, as Postgres is one: its sessions outlive a changed password. */
export function scriptedTarget(first: SecretMembers, random: () => number): ScriptedTarget {
  const logins = new Map<string, Login>()
  const sessions: Session[] = []
  let withheld: string | undefined
  let stolen: Session | undefined
  logins.set(userOf(first), { password: first['password'], isOn: true })

  function logIn(members: SecretMembers): Session | undefined {
    const login = logins.get(userOf(members))
    if (login?.isOn !== true || login.password !== members['password']) return undefined
    const session = { user: userOf(members), isOpen: true }
    sessions.push(session)
    return session
  }

  return {
    logIn,
    sessions,
    withholdFrom: (user) => {
      withheld = user
    },
    thief: {
      steal(members) {
        stolen = logIn(members)
        if (stolen !== undefined) logins.set(stolen.user, { password: 'stolen', isOn: true })
      },
      has: (members) => logins.get(userOf(members))?.password === 'stolen',
      isIn: () => stolen?.isOpen === true,
    },
    generate(current) {
      const [a, b] = pair
      const user = userOf(current) === a ? b : a
      return { ...current, user, password: `p${random()}` }
    },
    async set({ current, pending, isUrgent }) {
      if (logIn(pending) !== undefined) return
      if (!isUrgent && logIn(current) === undefined) {
        throw refused('the current credential is not let in')
      }
      logins.set(userOf(pending), { password: pending['password'], isOn: true })
    },
    async test({ pending }) {
      if (logIn(pending) === undefined) throw refused('the pending credential is not let in')
      if (userOf(pending) === withheld) throw refused('a privilege is missing')
    },
    async retire({ retired }) {
      const login = logins.get(userOf(retired))
      if (login !== undefined) login.isOn = false
      for (const session of sessions) {
        if (session.user === userOf(retired)) session.isOpen = false
      }
    },
    isRefused: async (retired) => logIn(retired) === undefined,
    logins: {
      userOf,
      users: pair,
      async endUser(user) {
        const login = logins.get(user)
        if (login !== undefined) login.isOn = false
        for (const session of sessions) if (session.user === user) session.isOpen = false
      },
      async hold(members) {
        const session = logIn(members)
        if (session === undefined) return undefined
        return {
          isOpen: async () => session.isOpen,
          async close() {
            session.isOpen = false
          },
        }
      },
    },
  }
}

function refused(reason: string): PosternError {
  return new PosternError('secret.target_refused', { reason })
}
