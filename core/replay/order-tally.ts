import type { OrderState, Side } from '../order/order.ts'

export type TradeLine = {
  readonly timeMs: number
  readonly side: Side
  readonly quantity: bigint
  readonly price: bigint
}

/** A report lists so many; the rest is counted. */
const tradesListedMax = 500

/** What became of the orders, in constant memory. */
export function orderTally() {
  const statuses = new Map<string, number>()
  const codes = new Map<string, number>()
  const trades: TradeLine[] = []
  let orders = 0
  let entries = 0
  let entryShares = 0
  let reduced = 0
  let tradeCount = 0
  return {
    end({ status, rejectCode }: OrderState): void {
      orders += 1
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (rejectCode !== undefined) codes.set(rejectCode, (codes.get(rejectCode) ?? 0) + 1)
    },
    /** An order that opens a position and went out, with the size that sizing left. */
    entry(quantity: bigint, requested: bigint): void {
      entries += 1
      entryShares += Number(quantity) / 1e9
      if (quantity < requested) reduced += 1
    },
    trade(line: TradeLine): void {
      tradeCount += 1
      if (trades.length < tradesListedMax) trades.push(line)
    },
    finish: () => ({
      orders,
      statuses,
      codes,
      entries,
      meanEntryShares: entries === 0 ? undefined : entryShares / entries,
      reduced,
      trades,
      tradeCount,
    }),
  }
}

export type OrderTally = ReturnType<typeof orderTally>
