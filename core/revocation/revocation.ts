import { type Actor, personOf as personBehind } from '../access/principal.ts'

/** Of tokens: a token, a subject, a signing key, an issuer. */
export const tokenClasses = ['jti', 'sub', 'kid', 'iss'] as const
export type TokenClass = (typeof tokenClasses)[number]

/** Of secrets: a version of one, and a login that one opens. */
export const secretClasses = ['secret', 'credential'] as const

export const revocationClasses = [...tokenClasses, ...secretClasses] as const
export type RevocationClass = (typeof revocationClasses)[number]

export const revocationStates = ['awaiting_second', 'in_force', 'lifted'] as const
export type RevocationState = (typeof revocationStates)[number]

/**
 * What must no longer be let in. `issuer` is that of the token, empty for secrets; `value` is the
 * claim's, empty for an issuer, `name@version` of a secret, `name:login` of a credential.
 */
export type Revoked = {
  readonly class: RevocationClass
  readonly issuer: string
  readonly value: string
}

/** The same for the same person: two who must agree have to differ in it. */
export function personOf(actor: Actor): string {
  return typeof actor === 'string' ? actor : personBehind(actor.principal)
}

/** These stop many at once: one person alone must not be able to. */
const classesOfTwo: ReadonlySet<RevocationClass> = new Set(['kid', 'iss'])

export function needsSecond(revoked: Pick<Revoked, 'class'>): boolean {
  return classesOfTwo.has(revoked.class)
}

/** A name has neither `@` nor `:`; undefined for what names no version or no login. */
export function secretOf({ class: of, value }: Revoked) {
  const [, name, mark, rest] = /^([^@:]+)([@:])(.+)$/s.exec(value) ?? []
  if (name === undefined || rest === undefined) return undefined
  if (of === 'secret' && mark === '@') return { name, version: rest }
  return of === 'credential' && mark === ':' ? { name, user: rest } : undefined
}
