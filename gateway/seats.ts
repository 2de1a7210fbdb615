import { subjectOf } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import type { GatewayContext } from './context.ts'

/** Seconds after which a place may have become free. */
const retryAfterSeconds = 5

/** Places for requests that stay open, so that waiting callers cannot use up the process. */
export type Seats = {
  /**
   * Returns what gives the seat back, once. Who sits only waits: its place among those at work is free.
   * Throws `gateway.overloaded`.
   */
  take(c: GatewayContext): () => void
}

export function seats(limits: { readonly total: number; readonly perSubject: number }): Seats {
  const taken = new Map<string, number>()
  let total = 0

  function take(c: GatewayContext): () => void {
    const key = subjectOf(c.get('principal'))
    const mine = taken.get(key) ?? 0
    if (total >= limits.total || mine >= limits.perSubject) {
      throw new PosternError('gateway.overloaded', {
        detail: 'Too many open streams or waits; poll, or close one.',
        retryAfterSeconds,
      })
    }
    c.get('work')?.leave()
    taken.set(key, mine + 1)
    total++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      total--
      const left = (taken.get(key) ?? 1) - 1
      if (left === 0) taken.delete(key)
      else taken.set(key, left)
    }
  }

  return { take }
}
