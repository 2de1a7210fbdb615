import { PosternError } from '#core/errors.ts'
import type { TradedAccount } from '#core/order/desk/account-directory.ts'

/** Accounts; above it the ones whose bucket was made first start over. */
const bucketsMax = 10_000

type Bucket = { tokens: number; filledAtMs: number }

export type MessageRate = {
  /** Takes one message off the account's second; throws `order.rate_limited`. */
  spend(account: TradedAccount, kind: 'place' | 'change'): void
}

/**
 * A token bucket of one second per account and kind of message, counted in this process: the
 * limit is divided by the gateways alive.
 */
export function messageRate(options: {
  readonly now: () => Date
  readonly liveGateways: () => number
}): MessageRate {
  const buckets = new Map<string, Bucket>()
  return {
    spend({ id, messagesPerSecond: perSecond }, kind) {
      const share = Math.max(1, perSecond / Math.max(1, options.liveGateways()))
      const nowMs = options.now().getTime()
      const key = `${kind} ${id}`
      const bucket = buckets.get(key) ?? { tokens: share, filledAtMs: nowMs }
      // A clock set back adds nothing and takes nothing away.
      const added = (Math.max(0, nowMs - bucket.filledAtMs) * share) / 1_000
      bucket.tokens = Math.min(share, bucket.tokens + added)
      bucket.filledAtMs = nowMs
      keep(buckets, key, bucket)
      if (bucket.tokens < 1) {
        throw new PosternError('order.rate_limited', {
          detail: `The account may send ${perSecond} such messages a second.`,
          retryAfterSeconds: 1,
        })
      }
      bucket.tokens -= 1
    },
  }
}

function keep(buckets: Map<string, Bucket>, key: string, bucket: Bucket): void {
  if (buckets.size >= bucketsMax && !buckets.has(key)) {
    for (const first of buckets.keys()) {
      buckets.delete(first)
      break
    }
  }
  buckets.set(key, bucket)
}
