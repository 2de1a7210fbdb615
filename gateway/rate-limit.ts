import type { AccessControl, SubjectLimit } from '#core/access/access-control.ts'
import { type Principal, subjectOf } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import type { GatewayContext } from './context.ts'
import type { Step } from './step.ts'

/** Subjects; above it the ones that have been idle longest start over. */
const bucketsMax = 10_000

type Bucket = { tokens: number; filledAtMs: number }

/** This process's part of a limit. */
type Share = {
  readonly perMs: number
  readonly burst: number
  /** The `RateLimit-Policy` header of this share. */
  readonly policy: string
}

/**
 * A token bucket per issuer and subject, counted in this process: a subject's limit is divided by
 * the gateways alive, so that it holds over all of them without a round trip. Headers as in
 * draft-ietf-httpapi-ratelimit-headers-09: quota and window, remaining and seconds to full.
 */
export function rateLimit(
  access: AccessControl,
  options: { readonly now: () => Date; readonly liveGateways: () => number },
): Step {
  const { now, liveGateways } = options
  const bucketOf = bucketStore()
  const shareOf = shareStore()

  return function limitRate(c) {
    const principal = c.get('principal')
    const share = shareOf(access.limitFor(principal), Math.max(1, liveGateways()))
    const nowMs = now().getTime()
    const bucket = bucketOf(principal, share, nowMs)
    fill(bucket, share, nowMs)
    const isAdmitted = bucket.tokens >= 1
    if (isAdmitted) bucket.tokens -= 1
    setHeaders(c, bucket, share)
    if (isAdmitted) return
    throw new PosternError('access.rate_limited', {
      reason: 'rate.limited',
      retryAfterSeconds: Math.ceil((1 - bucket.tokens) / share.perMs / 1_000),
    })
  }
}

/** A clock set back adds nothing and takes nothing away. */
function fill(bucket: Bucket, share: Share, nowMs: number): void {
  const added = Math.max(0, nowMs - bucket.filledAtMs) * share.perMs
  bucket.tokens = Math.min(share.burst, bucket.tokens + added)
  bucket.filledAtMs = nowMs
}

function setHeaders(c: GatewayContext, bucket: Bucket, share: Share): void {
  const secondsToFull = Math.ceil((share.burst - bucket.tokens) / share.perMs / 1_000)
  c.header('ratelimit-policy', share.policy)
  c.header('ratelimit', `"subject";r=${Math.floor(bucket.tokens)};t=${secondsToFull}`)
}

/** Shares by limit and count of gateways; a limit is one object as long as its file is in force. */
function shareStore(): (limit: SubjectLimit, gateways: number) => Share {
  const shares = new WeakMap<SubjectLimit, { gateways: number; share: Share }>()
  return (limit, gateways) => {
    const known = shares.get(limit)
    if (known?.gateways === gateways) return known.share
    const burst = Math.max(1, Math.floor(limit.burst / gateways))
    const perSecond = limit.perSecond / gateways
    const policy = `"subject";q=${burst};w=${Math.max(1, Math.ceil(burst / perSecond))}`
    const share = { perMs: perSecond / 1_000, burst, policy }
    shares.set(limit, { gateways, share })
    return share
  }
}

/** The principal of a remembered token is one object, which spares the look-up by name. */
function bucketStore(): (principal: Principal, share: Share, nowMs: number) => Bucket {
  const byPrincipal = new WeakMap<Principal, Bucket>()
  const bySubject = new Map<string, Bucket>()

  function bySubjectName(principal: Principal, share: Share, nowMs: number): Bucket {
    const key = subjectOf(principal)
    const known = bySubject.get(key)
    if (known !== undefined) return known
    if (bySubject.size >= bucketsMax) dropIdlest(bySubject)
    const bucket = { tokens: share.burst, filledAtMs: nowMs }
    bySubject.set(key, bucket)
    return bucket
  }

  return (principal, share, nowMs) => {
    const known = byPrincipal.get(principal)
    if (known !== undefined) return known
    const bucket = bySubjectName(principal, share, nowMs)
    byPrincipal.set(principal, bucket)
    return bucket
  }
}

/** A tenth at once, so that a flood of subjects does not sort the map for each of them. */
function dropIdlest(buckets: Map<string, Bucket>): void {
  const idlest = [...buckets].sort(([, left], [, right]) => left.filledAtMs - right.filledAtMs)
  for (const [key] of idlest.slice(0, bucketsMax / 10)) buckets.delete(key)
}
