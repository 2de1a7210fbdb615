import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { answerIn, refusalOf, requireDone, vaultPath } from './vault-http.ts'
import { type VaultAnswer, type VaultSessionOptions, vaultSession } from './vault-session.ts'

export type VaultDatabaseLease = {
  readonly leaseId: string
  readonly username: string
  readonly password: string
  /**
   * Milliseconds until Vault drops the user, unless renewed before; no more than the login that
   * issued it has left, because Vault revokes the leases of a login that ends.
   */
  readonly durationMs: number
}

export type VaultStaticCredential = {
  readonly username: string
  readonly password: string
  readonly rotatedAt: Date
  /** Milliseconds until Vault changes the password by itself. */
  readonly nextRotationMs: number
}

/**
 * Users that Vault makes in a database and drops again, and such whose password it changes. All
 * throw `secret.not_found` for a role or lease that is not there, and `secret.unavailable`; where
 * the answer was lost or Vault did not reach the database, the act may have happened or happen yet.
 */
export type VaultDatabaseLeases = {
  /** A user of its own. One whose answer was lost ends with its lease, by itself. */
  issue(role: string): Promise<VaultDatabaseLease>
  /**
   * Milliseconds as in `durationMs`. Throws `secret.not_found` also for a lease that was issued
   * under an earlier login of ours, which nobody prolongs: issue another one.
   */
  renew(leaseId: string): Promise<number>
  /** Back only when the user is dropped; its open sessions go on. Repeating it changes nothing. */
  revoke(leaseId: string): Promise<void>
  readStatic(name: string): Promise<VaultStaticCredential>
  /** The password is another one at once. */
  rotateStatic(name: string): Promise<void>
}

export type VaultDatabaseLeasesOptions = VaultSessionOptions & {
  /** Of a database engine. */
  readonly mount: string
}

const issuedSchema = z.object({
  lease_id: z.string().min(1),
  /** Seconds, as all durations here. */
  lease_duration: z.number().positive(),
  data: z.object({ username: z.string().min(1), password: z.string().min(1) }),
})
const renewedSchema = z.object({ lease_duration: z.number().nonnegative() })
const staticSchema = z.object({
  data: z.object({
    username: z.string().min(1),
    password: z.string().min(1),
    last_vault_rotation: z.iso.datetime({ offset: true }),
    ttl: z.number(),
  }),
})

/**
 * https://developer.hashicorp.com/vault/api-docs/secret/databases and …/system/leases. A login of
 * its own: give its role a period, so that it never ends while somebody renews a lease.
 */
export function vaultDatabaseLeases(options: VaultDatabaseLeasesOptions): VaultDatabaseLeases {
  const ask = vaultSession(options)
  const at = (part: string, name: string) => vaultPath(options.mount, part, name)
  const leases = heldLeases(options.now ?? (() => performance.now()))
  return {
    async issue(role) {
      const request = { method: 'GET', path: at('creds', role) } as const
      const answer = await known(ask(request), `database role ${role}`)
      const issued = answerIn(answer, issuedSchema, request)
      const durationMs = durationOf(answer, issued.lease_duration)
      leases.hold(issued.lease_id, { loginId: answer.login.id, durationMs })
      const { username, password } = issued.data
      return { leaseId: issued.lease_id, username, password, durationMs }
    },
    async renew(leaseId) {
      const loginId = leases.loginOf(leaseId)
      if (loginId === undefined) throw notFound(`lease ${leaseId}`)
      const request = leaseRequest('renew', { lease_id: leaseId })
      const answer = await known(ask(request), `lease ${leaseId}`)
      if (answer.login.id !== loginId) throw notFound(`login that issued ${leaseId}`)
      const durationMs = durationOf(answer, answerIn(answer, renewedSchema, request).lease_duration)
      leases.hold(leaseId, { loginId, durationMs })
      return durationMs
    },
    async revoke(leaseId) {
      // Without `sync` Vault only queues it, tries six times and gives up.
      const request = leaseRequest('revoke', { lease_id: leaseId, sync: true })
      requireDone(await ask(request), request)
      leases.drop(leaseId)
    },
    async readStatic(name) {
      const request = { method: 'GET', path: at('static-creds', name) } as const
      const answer = await known(ask(request), `static database role ${name}`)
      const { data } = answerIn(answer, staticSchema, request)
      const { username, password, last_vault_rotation: rotatedAt, ttl } = data
      return { username, password, rotatedAt: new Date(rotatedAt), nextRotationMs: ttl * 1_000 }
    },
    async rotateStatic(name) {
      const request = { method: 'POST', path: at('rotate-role', name), body: {} } as const
      requireDone(await known(ask(request), `static database role ${name}`), request)
    },
  }
}

function leaseRequest(act: 'renew' | 'revoke', body: object) {
  return { method: 'POST', path: `sys/leases/${act}`, body } as const
}

/** Which login issued what, of those that have not run out. */
function heldLeases(now: () => number) {
  const leases = new Map<string, { readonly loginId: number; readonly endsAt: number }>()
  return {
    loginOf: (leaseId: string) => leases.get(leaseId)?.loginId,
    drop: (leaseId: string) => leases.delete(leaseId),
    hold(leaseId: string, { loginId, durationMs }: { loginId: number; durationMs: number }) {
      for (const [id, { endsAt }] of leases) if (endsAt <= now()) leases.delete(id)
      leases.set(leaseId, { loginId, endsAt: now() + durationMs })
    },
  }
}

const absences = /^(?:unknown role|no static role found|lease not found)/

/** Throws `secret.not_found` for an answer that says so, which Vault does with 400. */
async function known(asked: Promise<VaultAnswer>, what: string): Promise<VaultAnswer> {
  const answer = await asked
  const isUnknown = answer.status === 400 && refusalOf(answer)?.some((text) => absences.test(text))
  if (isUnknown) throw notFound(what)
  return answer
}

function notFound(what: string): PosternError {
  return new PosternError('secret.not_found', {
    reason: `there is no ${what} in Vault, or no more`,
  })
}

function durationOf({ login }: VaultAnswer, leaseSeconds: number): number {
  return Math.min(leaseSeconds * 1_000, login.leftMs)
}
