import type { AccessControl } from '#core/access/access-control.ts'
import type { Job, JobStore, Visibility } from '#core/job/job-store.ts'
import { waitSecondsMax } from '#core/job/limits.ts'
import type { GatewayContext } from './context.ts'
import { type Seats, seats } from './seats.ts'

/** Requests that may wait at once, each at the cost of one small query a second. */
const waits = { total: 2_000, perSubject: 500 }
/** Milliseconds; a look-up for a token that is still good. */
const proveMs = 1_000
/** Seconds beyond the wait until the listener may cut the silent connection; see `listen.ts`. */
const idleSlackSeconds = 15

/** RFC 7240, 4.3; the value is a wish, so that a longer one is cut down. */
const preferPattern = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i

export type Waiting = {
  /** The job when it is finished, or as it stands at the end of the wait. */
  forJob(
    c: GatewayContext,
    id: string,
    visibility: Visibility,
    seconds: number,
  ): Promise<Job | undefined>
}

/** Long polls: bounded in number, ended by `closing` and when the caller goes away. */
export function waiting(
  deps: { readonly access: AccessControl; readonly jobs: JobStore },
  closing: AbortSignal,
): Waiting {
  const places: Seats = seats(waits)
  return {
    async forJob(c, id, visibility, seconds) {
      const leave = places.take(c)
      const authorization = c.req.header('authorization')
      const proof = provedAgain(deps.access, authorization)
      try {
        c.env.setIdleSeconds(seconds + idleSlackSeconds)
        const job = await deps.jobs.waitFinished(id, visibility, {
          timeoutMs: seconds * 1_000,
          signal: AbortSignal.any([closing, c.req.raw.signal, proof.lost]),
        })
        // The token may have been revoked while its request waited.
        await deps.access.authenticate(authorization)
        return job
      } finally {
        proof.close()
        leave()
      }
    },
  }
}

/** `lost` aborts at once when the token was revoked, and within a second of whatever else ends it. */
function provedAgain(access: AccessControl, authorization: string | undefined) {
  const lost = new AbortController()
  async function prove(): Promise<void> {
    try {
      await access.authenticate(authorization)
    } catch {
      lost.abort()
    }
  }
  const timer = setInterval(() => void prove(), proveMs)
  const forget = access.onDenial(prove)
  return {
    lost: lost.signal,
    close() {
      clearInterval(timer)
      forget()
    },
  }
}

/** Seconds that the caller would wait, by `?wait=` or else by `Prefer: wait=`. */
export function waitSecondsOf(c: GatewayContext, query: number | undefined): number {
  if (query !== undefined) return query
  const prefer = c.req.header('prefer')
  if (prefer === undefined) return 0
  return Math.min(Number(preferPattern.exec(prefer)?.[1] ?? 0), waitSecondsMax)
}
