import { type StoreAnswer, storeUnavailable } from '../store-http.ts'
import { type VaultAddress, type VaultRequest, type VaultSend, vaultHttp } from './vault-http.ts'
import { isAlive, logIn, renewGrant, type VaultGrant, type VaultLogin } from './vault-login.ts'

/** Of a login's life; the last third is for trying again. */
const dueShare = 2 / 3
/** A renewal that gives less of the life before is near the token's end: the next is a new login. */
const renewedShareMin = 1 / 2
/** Milliseconds until a renewal that failed is tried again; the token still has its last third. */
const renewalRetryMs = 5_000
/**
 * Milliseconds in which a young login that is refused is first looked up: each login leaves a token
 * and a lease in Vault, and a policy that lacks a path must not make one for every request.
 */
const youngMs = 60_000

export type VaultSessionOptions = VaultAddress & {
  readonly login: VaultLogin
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

export type VaultAnswer = StoreAnswer & {
  /** Of the login it was asked with: its number, the same after a renewal, and what is left of it. */
  readonly login: { readonly id: number; readonly leftMs: number }
}

/** Throws what `storeHttp` throws, and `secret.unavailable` for what no policy of ours allows. */
export type VaultAsk = (request: VaultRequest) => Promise<VaultAnswer>

type Held = VaultGrant & {
  readonly id: number
  readonly madeAt: number
  readonly endsAt: number
  readonly dueAt: number
}

/**
 * Asks Vault as whoever logs in. The token lives in memory alone; requests that come together share
 * one login and one renewal, both made when a request needs them.
 */
export function vaultSession(options: VaultSessionOptions): VaultAsk {
  const send = vaultHttp(options)
  const holder = tokenHolder(send, options)
  return async (request) => {
    const held = await holder.current()
    const answer = await send(request, held.token)
    if (answer.status !== 403) return { ...answer, login: holder.lifeOf(held) }
    // A refused request has done nothing, so it is safe to ask again.
    const fresh = await holder.replacementOf(held)
    const second = fresh === undefined ? answer : await send(request, fresh.token)
    if (second.status !== 403) return { ...second, login: holder.lifeOf(fresh ?? held) }
    throw denied(request)
  }
}

function tokenHolder(send: VaultSend, options: VaultSessionOptions) {
  const now = options.now ?? (() => performance.now())
  let held: Held | undefined
  let pending: Promise<Held> | undefined
  let logins = 0

  /** Whoever comes while one is under way gets what it brings. */
  function enter(make: () => Promise<Held>): Promise<Held> {
    pending ??= make()
      .then((made) => {
        held = made
        return made
      })
      .finally(() => {
        pending = undefined
      })
    return pending
  }

  async function logInAnew(): Promise<Held> {
    const madeAt = now()
    const grant = await logIn(send, options.login)
    logins += 1
    return { id: logins, madeAt, ...grant, ...timesOf(madeAt, grant.lifeMs) }
  }

  async function prolong(old: Held): Promise<Held> {
    const askedAt = now()
    const grant = old.isRenewable ? await renewGrant(send, old.token) : undefined
    if (grant === undefined) return await logInAnew()
    const isRenewable = grant.isRenewable && grant.lifeMs >= old.lifeMs * renewedShareMin
    return { ...old, ...grant, isRenewable, ...timesOf(askedAt, grant.lifeMs) }
  }

  /** A token with life left does not fail a request because its renewal did. */
  async function prolongOrKeep(old: Held): Promise<Held> {
    try {
      return await prolong(old)
    } catch {
      return { ...old, dueAt: now() + renewalRetryMs }
    }
  }

  return {
    async current(): Promise<Held> {
      const present = held
      if (present === undefined || now() >= present.endsAt) return await enter(logInAnew)
      return now() < present.dueAt ? present : await enter(() => prolongOrKeep(present))
    },
    /** Undefined for one that is alive and young: a new login would be refused as well. */
    async replacementOf(refused: Held): Promise<Held | undefined> {
      const isYoung = now() - refused.madeAt < youngMs
      if (isYoung && (await isAlive(send, refused.token))) return undefined
      return held !== undefined && held.id !== refused.id ? held : await enter(logInAnew)
    },
    lifeOf: ({ id, endsAt }: Held) => ({ id, leftMs: endsAt - now() }),
  }
}

/** Counted from before the request, so that it ends here no later than there. */
function timesOf(askedAt: number, lifeMs: number) {
  return { endsAt: askedAt + lifeMs, dueAt: askedAt + lifeMs * dueShare }
}

function denied({ method, path, query, needs }: VaultRequest) {
  const reading = query?.['list'] === 'true' ? 'list' : 'read'
  const capability = method === 'GET' ? reading : 'create and update'
  const granted = needs ?? `${capability} on ${decodeURIComponent(path)}`
  return storeUnavailable(`Vault answered 403: the policy of our login must allow ${granted}`)
}
