import { PosternError } from '../../errors.ts'
import { databaseOutage } from '../../postgres/outage.ts'

/** Outages and unknown outcomes that say nothing of the venue's health. */
const spared = new WeakSet<object>()

/**
 * Marks what is no failure of the venue's: it limits us, we limit ourselves, the keys are wrong, the
 * database is away, the loss was asked for. Its breaker does not count it.
 */
export function spareVenue<What extends object>(what: What): What {
  spared.add(what)
  return what
}

export function isVenueSpared(what: unknown): boolean {
  return typeof what === 'object' && what !== null && spared.has(what)
}

/** For `.catch`: the venue is as away as the database that holds it; anything else is a bug. */
export function rethrowAsVenueOutage(error: unknown): never {
  const outage = databaseOutage(error)
  if (outage === undefined) throw error
  const { reason, retryAfterSeconds } = outage
  throw spareVenue(
    new PosternError('venue.unavailable', {
      cause: error,
      ...(reason === undefined ? {} : { reason }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    }),
  )
}

/** Throws before a call that its caller has given up. */
export function throwIfGivenUp(signal: AbortSignal): void {
  if (!signal.aborted) return
  throw new PosternError('venue.unavailable', { reason: 'given up before it was sent' })
}

/** What the call comes to, or `otherwise` once its caller gives up waiting for it. */
export async function unlessGivenUp<Result>(
  result: Promise<Result>,
  signal: AbortSignal,
  otherwise: Result,
): Promise<Result> {
  const given = Promise.withResolvers<Result>()
  const giveUp = () => given.resolve(otherwise)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([result, given.promise])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
