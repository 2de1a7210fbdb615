import type { Money, Quantity } from './amount.ts'
import type { OrderState, Trade } from './order.ts'

/** What an order's trades add up to, with what a successor was given by its predecessor. */
export type Filled = Pick<OrderState, 'cumQuantity' | 'cumMoney' | 'trades'>

/** Puts a trade in the place of the one with its id, or beside the others if there is none. */
export function bookTrade(filled: Filled, trade: Trade): Filled {
  const standing = filled.trades.get(trade.tradeId)
  const trades = new Map(filled.trades).set(trade.tradeId, trade)
  return {
    cumQuantity: filled.cumQuantity - (standing?.quantity ?? 0n) + trade.quantity,
    cumMoney: filled.cumMoney - moneyOfTrade(standing) + moneyOfTrade(trade),
    trades,
  }
}

/** Keeps the trade with quantity 0, so that the report that made it stays known. */
export function cancelTrade(filled: Filled, trade: Trade): Filled {
  return bookTrade(filled, { ...trade, quantity: 0n, fee: 0n })
}

/**
 * A correction may carry an id of its own (FIX ExecID beside ExecRefID). Both ids stay known then:
 * the old trade with quantity 0, and the new one, which may have been reported by itself before.
 */
export function correctTrade(filled: Filled, standing: Trade, corrected: Trade): Filled {
  if (corrected.tradeId === standing.tradeId) return bookTrade(filled, corrected)
  const without = cancelTrade(filled, standing)
  return without.trades.has(corrected.tradeId) ? without : bookTrade(without, corrected)
}

/** Sets anew what the predecessor had filled; the order's own trades stand. */
export function carryOver(
  filled: Filled,
  carried: { readonly cumQuantity: Quantity; readonly cumMoney: Money },
): Filled {
  const own = ownFilled(filled)
  return {
    ...filled,
    cumQuantity: carried.cumQuantity + own.cumQuantity,
    cumMoney: carried.cumMoney + own.cumMoney,
  }
}

/** The sum over the order's own trades. */
export function ownFilled(filled: Pick<OrderState, 'trades'>): {
  readonly cumQuantity: Quantity
  readonly cumMoney: Money
} {
  let cumQuantity = 0n
  let cumMoney = 0n
  for (const trade of filled.trades.values()) {
    cumQuantity += trade.quantity
    cumMoney += moneyOfTrade(trade)
  }
  return { cumQuantity, cumMoney }
}

function moneyOfTrade(trade: Trade | undefined): Money {
  return trade === undefined ? 0n : trade.quantity * trade.price
}
