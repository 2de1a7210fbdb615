import { randomBytes } from 'node:crypto'
import { PosternError } from '../../errors.ts'
import type { SecretMembers } from '../secret-store.ts'
import type { RotationTarget, Succession } from './rotation-target.ts'

/** Base64url needs no escape in a URL; as strong as any key here. */
const passwordBytes = 32

/** Two logins of one server that take turns, in a URL that a secret holds. */
export type LoginPair = {
  readonly users: readonly [string, string]
  /** The member that holds the URL. */
  readonly member: string
}

/** Its next login follows from the one in force alone. */
export type LoginTarget = Omit<RotationTarget, 'generate'> & {
  generate(current: SecretMembers): SecretMembers
}

export function urlIn(members: SecretMembers, member: string): URL {
  const text = Object.hasOwn(members, member) ? members[member] : undefined
  if (text === undefined || !URL.canParse(text)) {
    throw targetRefused(`the member ${member} is no URL`)
  }
  return new URL(text)
}

export function userIn(members: SecretMembers, member: string): string {
  return decodeURIComponent(urlIn(members, member).username)
}

/** The same members with the other login and a password that nobody has seen. */
export function otherLogin(current: SecretMembers, { users, member }: LoginPair): SecretMembers {
  const url = urlIn(current, member)
  const [first, second] = users
  const user = decodeURIComponent(url.username)
  if (user !== first && user !== second) {
    throw targetRefused(`the login in force is ${user}, which is neither ${first} nor ${second}`)
  }
  url.username = user === first ? second : first
  url.password = randomBytes(passwordBytes).toString('base64url')
  return { ...current, [member]: url.href }
}

/** Where the pending credential belongs to another server or user nothing is set anywhere. */
export function loginsIn({ current, pending }: Succession, member: string) {
  const [from, to] = [urlIn(current, member), urlIn(pending, member)]
  if (from.host !== to.host || from.pathname !== to.pathname) {
    throw targetRefused('the pending version is of another server or database')
  }
  if (from.username === to.username) {
    throw targetRefused('the pending version has the user in force')
  }
  return {
    from: decodeURIComponent(from.username),
    to: decodeURIComponent(to.username),
    password: decodeURIComponent(to.password),
  }
}

export function targetRefused(reason: string): PosternError {
  return new PosternError('secret.target_refused', { reason })
}
