import { type Denial, deny } from './check-denial.ts'
import type { Subject } from './check-subject.ts'

export function checkTwin({ input }: Subject): Denial | undefined {
  const { duplicateWindowMs } = input.limits
  if (!input.hasTwin || duplicateWindowMs === 0) return undefined
  return deny('DUPLICATE_ORDER', { window_ms: duplicateWindowMs })
}

/** So many executions are allowed in the window; the order after them is denied. */
export function checkRepetition({ input }: Subject): Denial | undefined {
  const { repeatedExecutionsMax } = input.limits
  if (input.recentExecutions < repeatedExecutionsMax) return undefined
  return deny('REPEATED_EXECUTION', {
    strategy: input.terms.strategy ?? 'none',
    side: input.terms.side,
    executions: input.recentExecutions,
    max: repeatedExecutionsMax,
  })
}

/** A replacement takes its predecessor's place and adds no open order. */
export function checkOpenOrders({ input }: Subject): Denial | undefined {
  const { openOrders } = input.account
  const { openOrdersMax } = input.limits
  if (input.replaced !== undefined || openOrders + 1 <= openOrdersMax) return undefined
  return deny('TOO_MANY_OPEN_ORDERS', { open: openOrders, max: openOrdersMax })
}
