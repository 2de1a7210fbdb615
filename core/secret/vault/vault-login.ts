import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { storeUnavailable } from '../store-http.ts'
import { answerIn, type VaultRequest, type VaultSend, vaultPath } from './vault-http.ts'

/**
 * How Postern proves who it is. What proves it is read anew for each login, so that a file that
 * was replaced counts at once. `mount` is where the method is enabled below `auth/`; by default
 * its own name. https://developer.hashicorp.com/vault/api-docs/auth
 */
export type VaultLogin =
  | {
      readonly kind: 'approle'
      readonly roleId: string
      readonly secretId: () => Promise<string>
      readonly mount?: string
    }
  | {
      readonly kind: 'kubernetes' | 'jwt'
      readonly role: string
      readonly token: () => Promise<string>
      readonly mount?: string
    }

const authSchema = z.object({
  auth: z.object({
    client_token: z.string().min(1),
    /** Seconds; 0 never ends. */
    lease_duration: z.number().nonnegative(),
    renewable: z.boolean(),
  }),
})

export type VaultGrant = {
  readonly token: string
  /** Milliseconds from the request on. */
  readonly lifeMs: number
  readonly isRenewable: boolean
}

/** Throws `secret.unavailable` for a login that is refused. */
export async function logIn(send: VaultSend, login: VaultLogin): Promise<VaultGrant> {
  const mount = login.mount ?? login.kind
  const body = await proofOf(login)
  const request: VaultRequest = { method: 'POST', path: vaultPath('auth', mount, 'login'), body }
  const answer = await send(request)
  if (answer.status >= 400) {
    const reason = `Vault refused the login at auth/${mount} (${answer.status}); look at its role, what proves it and the addresses it is bound to`
    throw storeUnavailable(reason)
  }
  return grantOf(answerIn(answer, authSchema, request))
}

const renewal: VaultRequest = { method: 'POST', path: 'auth/token/renew-self', body: {} }

/** Undefined for a token that is dead or cannot be renewed. */
export async function renewGrant(send: VaultSend, token: string): Promise<VaultGrant | undefined> {
  const answer = await send(renewal, token)
  return answer.status >= 400 ? undefined : grantOf(answerIn(answer, authSchema, renewal))
}

export async function isAlive(send: VaultSend, token: string): Promise<boolean> {
  const { status } = await send({ method: 'GET', path: 'auth/token/lookup-self' }, token)
  return status === 200
}

async function proofOf(login: VaultLogin): Promise<object> {
  if (login.kind === 'approle') {
    return { role_id: login.roleId, secret_id: await readProof('secret id', login.secretId) }
  }
  return { role: login.role, jwt: await readProof('token', login.token) }
}

async function readProof(what: string, read: () => Promise<string>): Promise<string> {
  try {
    // Editors and orchestrators end a file with a newline.
    return (await read()).trim()
  } catch (cause) {
    if (cause instanceof PosternError) throw cause
    throw storeUnavailable(`the ${what} for the login at Vault cannot be read`, { cause })
  }
}

function grantOf({ auth }: z.infer<typeof authSchema>): VaultGrant {
  return {
    token: auth.client_token,
    lifeMs: auth.lease_duration === 0 ? Number.POSITIVE_INFINITY : auth.lease_duration * 1_000,
    isRenewable: auth.renewable,
  }
}
