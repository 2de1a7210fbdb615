import { z } from 'zod'
import { isLoopback, isSecureUrl } from '../secure-url.ts'
import { storeHttp, storeUnavailable } from '../store-http.ts'

/**
 * Milliseconds before its end that a token is renewed. The metadata server gives out one token
 * until four minutes before its end at the least, so that asking earlier would bring the same one.
 */
const renewalMs = 225_000
/** Where plain HTTP is all there is: the link-local server of the machine's own host. */
const metadataHosts = ['metadata.google.internal', '169.254.169.254']
export const cloudScope = 'https://www.googleapis.com/auth/cloud-platform'

/** Printable, so that no header made of it can be refused with its text in the error. */
export const tokenSchema = z.string().regex(/^[\x21-\x7e]{1,16384}$/)
/** RFC 6749, 5.1. */
export const tokenAnswerSchema = z.object({
  access_token: tokenSchema,
  expires_in: z.number().positive(),
})

/**
 * An access token for Google's APIs; given the one that was refused, another. Safe concurrently.
 * Throws `secret.unavailable`.
 */
export type GcpLogin = (refused?: string) => Promise<string>

export type AccessToken = {
  readonly token: string
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/** Keeps a token in memory until shortly before its end; who asks meanwhile waits for one login. */
export function keptLogin(
  logIn: () => Promise<AccessToken>,
  now: () => number = Date.now,
): GcpLogin {
  let kept: { readonly token: string; readonly renewAt: number } | undefined
  let pending: Promise<string> | undefined

  async function renew(): Promise<string> {
    const { token, expiresAt } = await logIn()
    const lifeMs = expiresAt - now()
    kept = { token, renewAt: now() + Math.max(lifeMs - renewalMs, lifeMs / 2) }
    return token
  }

  return async (refused) => {
    if (kept !== undefined && kept.token !== refused && now() < kept.renewAt) return kept.token
    pending ??= renew().finally(() => {
      pending = undefined
    })
    return await pending
  }
}

export type GcpMetadataOptions = {
  /** Another address of the metadata server; plain HTTP to Google's own or to loopback alone. */
  readonly metadataUrl?: string
  readonly now?: () => number
}

/**
 * The service account of the machine, pod or function that this runs on.
 * https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
export function gcpMetadataLogin({
  metadataUrl = 'http://metadata.google.internal',
  now = Date.now,
}: GcpMetadataOptions = {}): GcpLogin {
  const call = storeHttp()
  const url = new URL('/computeMetadata/v1/instance/service-accounts/default/token', metadataUrl)
  if (!metadataHosts.includes(url.hostname) && !isLoopback(url.hostname) && !isSecureUrl(url.href))
    throw storeUnavailable(`${url.host} is no metadata server: plain HTTP is refused`)
  url.searchParams.set('scopes', cloudScope)
  return keptLogin(async () => {
    const { status, headers, body } = await call({
      method: 'GET',
      url: url.href,
      headers: { 'metadata-flavor': 'Google' },
    })
    const answer = tokenAnswerSchema.safeParse(body)
    const isGoogle = headers.get('metadata-flavor') === 'Google'
    if (status !== 200 || !isGoogle || !answer.success) {
      throw storeUnavailable(`the metadata server ${url.host} gave no token (status ${status})`)
    }
    const { access_token: token, expires_in: seconds } = answer.data
    return { token, expiresAt: now() + seconds * 1000 }
  }, now)
}
