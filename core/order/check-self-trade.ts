import { formatAmount } from './amount.ts'
import { type Denial, deny } from './check-denial.ts'
import type { Subject } from './check-subject.ts'

/**
 * Whether the order could meet an own one of the other side. A stop becomes a market order when it
 * triggers, so an order without a limit meets any.
 */
export function checkSelfTrade({ input }: Subject): Denial | undefined {
  const { terms, position } = input
  const own = terms.side === 'buy' ? position.bestOwnSell : position.bestOwnBuy
  if (own === undefined) return undefined
  const { limitPrice } = terms
  if (own !== 'market' && limitPrice !== undefined) {
    const meets = terms.side === 'buy' ? limitPrice >= own : limitPrice <= own
    if (!meets) return undefined
  }
  return deny('SELF_TRADE', {
    side: terms.side,
    limit: limitPrice === undefined ? 'market' : formatAmount(limitPrice),
    own: own === 'market' ? own : formatAmount(own),
  })
}
