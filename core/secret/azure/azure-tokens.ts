import type { AzureLogin } from './azure-login.ts'

/** Milliseconds before a token's end at which a new one is fetched; a request is shorter by far. */
const marginMs = 120_000

type HeldToken = { readonly token: string; readonly resource: string; readonly until: number }

export type AzureTokens = {
  /** The token at hand, else a new one; they who ask at the same time share one login. */
  token(resource: string): Promise<string>
  /** A token other than one that was refused. */
  renew(resource: string, refused: string): Promise<string>
}

/** `nowMs` is a clock that no one sets. */
export function azureTokens(
  { login }: AzureLogin,
  nowMs: () => number = () => performance.now(),
): AzureTokens {
  let held: HeldToken | undefined
  let flight: { readonly resource: string; readonly token: Promise<string> } | undefined

  async function fetchToken(resource: string): Promise<string> {
    const askedAt = nowMs()
    const { token, lifetimeMs } = await login(resource)
    // One that lives shorter than the margin is used for half of its life.
    const usedMs = Math.max(lifetimeMs - marginMs, lifetimeMs / 2)
    held = { token, resource, until: askedAt + usedMs }
    return token
  }

  async function shared(resource: string): Promise<string> {
    if (flight?.resource === resource) return await flight.token
    const own = { resource, token: fetchToken(resource) }
    flight = own
    try {
      return await own.token
    } finally {
      if (flight === own) flight = undefined
    }
  }

  async function token(resource: string): Promise<string> {
    if (held?.resource === resource && nowMs() < held.until) return held.token
    return await shared(resource)
  }

  return {
    token,
    renew(resource, refused) {
      if (held?.token === refused) held = undefined
      return token(resource)
    },
  }
}
