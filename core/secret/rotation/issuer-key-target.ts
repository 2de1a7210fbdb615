import {
  freshIssuerKeys,
  type IssuerKeys,
  publishedKeys,
  readIssuerKeys,
  succeedIssuerKeys,
} from '../../access/issuer-keys.ts'
import { leewaySeconds } from '../../access/verify-token.ts'
import { targetRefused } from './login-pair.ts'
import type { RotationTarget } from './rotation-target.ts'

export type IssuerKeyOptions = {
  /** Seconds that a token may live. */
  readonly ttlSecondsMax: number
  /** Seconds that verifiers may keep the published set. */
  readonly jwksMaxAgeSeconds: number
}

/**
 * The signing key of the local issuer. Nobody has to be told anything: the key that is to sign next
 * has been published for as long as the one that signs. The grace makes that true for verifiers
 * elsewhere: from when every gateway publishes a version no other follows it until no copy of an
 * older set may be kept, and no token of the key that goes with the next version is alive.
 */
export function issuerKeyTarget(options: IssuerKeyOptions): RotationTarget {
  const { ttlSecondsMax, jwksMaxAgeSeconds } = options
  return {
    graceSeconds: Math.max(jwksMaxAgeSeconds, ttlSecondsMax + leewaySeconds),
    async generate(current, { isUrgent }) {
      return isUrgent ? await freshIssuerKeys() : await orRefused(succeedIssuerKeys(current))
    },
    set: async () => undefined,
    async test({ current, pending }) {
      const to = await orRefused(readIssuerKeys(pending))
      if (!follows(to, await readIssuerKeys(current).catch(() => undefined))) {
        throw targetRefused('the pending version would sign with a key that was never published')
      }
    },
    // A key ends with the version that publishes it no more: nothing is kept anywhere else.
    retire: async () => undefined,
    isRefused: async () => true,
  }
}

/** In turn, or with nothing of the version in force. */
function follows(to: IssuerKeys, from: IssuerKeys | undefined): boolean {
  const known = new Set(from === undefined ? [] : publishedKeys(from).map(({ kid }) => kid))
  const isInTurn =
    to.current.kid === from?.next.kid &&
    to.previous?.kid === from.current.kid &&
    !known.has(to.next.kid)
  return isInTurn || publishedKeys(to).every(({ kid }) => !known.has(kid))
}

async function orRefused<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw targetRefused(error instanceof Error ? error.message : 'no issuer keys')
  }
}
