import type { Scaled } from '../decimal.ts'
import { isStablecoin } from './mints.ts'
import type { Trade } from './trade.ts'

export const costBases = ['fifo', 'average'] as const
export type CostBasis = (typeof costBases)[number]

/** What one swap did to the books, in scaled USD. */
export type Booking = {
  /** Proceeds less cost of the part of the sale whose purchase is known. */
  readonly realised: Scaled
  /** P&L of each lot (or part of one) that was closed; stablecoins close none. */
  readonly closures: readonly Scaled[]
  /** Proceeds of what was sold without a known purchase; no profit. */
  readonly unmatchedProceeds: Scaled
  /** What came in from outside: the unmatched part, and the fee that was paid with it. */
  readonly inflow: Scaled
  /** A fee that is in no cost and off no proceeds. */
  readonly separateFee: Scaled
  readonly isTrade: boolean
}

type Position = { quantity: Scaled; cost: Scaled; lots: Lot[]; head: number }
type Lot = { quantity: Scaled; cost: Scaled }

export type Ledger = {
  /** Books the next swap; swaps must come in order of time. */
  book(trade: Trade): Booking
  quantityOf(mint: string): Scaled
  /** Cost of everything held. */
  cost(): Scaled
}

const nothing: Omit<Booking, 'separateFee' | 'inflow'> = {
  realised: 0n,
  closures: [],
  unmatchedProceeds: 0n,
  isTrade: false,
}

/**
 * The positions of one wallet. A swap sells one token and buys another at the same instant, both
 * for what was received. Its fee counts once: off the proceeds when a stablecoin was bought (whose
 * cost would else show fees as losses of the peg), in the cost of what was bought otherwise.
 */
export function createLedger(costBasis: CostBasis): Ledger {
  const positions = new Map<string, Position>()
  const consume = costBasis === 'fifo' ? consumeFirst : consumeAverage
  let costTotal = 0n

  function buy(mint: string, quantity: Scaled, cost: Scaled): void {
    costTotal += cost
    const position = positions.get(mint)
    if (position === undefined) {
      positions.set(mint, { quantity, cost, lots: [{ quantity, cost }], head: 0 })
      return
    }
    position.quantity += quantity
    position.cost += cost
    if (costBasis === 'fifo') position.lots.push({ quantity, cost })
  }

  function sell(mint: string, quantity: Scaled, proceeds: Scaled) {
    const position = positions.get(mint)
    const matched = position === undefined ? 0n : min(position.quantity, quantity)
    if (position === undefined || matched === 0n) {
      return { realised: 0n, closures: [], unmatchedProceeds: proceeds }
    }
    const matchedProceeds = matched === quantity ? proceeds : (proceeds * matched) / quantity
    const costBefore = position.cost
    const closures = consume(position, matched, matchedProceeds)
    const cost = costBefore - position.cost
    costTotal -= cost
    return {
      realised: matchedProceeds - cost,
      closures: isStablecoin(mint) ? [] : closures,
      unmatchedProceeds: proceeds - matchedProceeds,
    }
  }

  return {
    book(trade) {
      const { feeUsd } = trade
      if (trade.failed || trade.mintIn === trade.mintOut) {
        return { ...nothing, inflow: feeUsd, separateFee: feeUsd }
      }
      const isFeeOffProceeds = isStablecoin(trade.mintOut)
      const proceeds = isFeeOffProceeds ? trade.usdOut - feeUsd : trade.usdOut
      const sale = sell(trade.mintIn, trade.amountIn, proceeds)
      const cost = isFeeOffProceeds ? trade.usdOut : trade.usdOut + feeUsd
      buy(trade.mintOut, trade.amountOut, cost)
      const inflow = sale.unmatchedProceeds + feeUsd
      return { ...sale, inflow, separateFee: 0n, isTrade: true }
    },
    quantityOf: (mint) => positions.get(mint)?.quantity ?? 0n,
    cost: () => costTotal,
  }
}

/** The oldest lots first; each lot touched is one closure. */
function consumeFirst(position: Position, quantity: Scaled, proceeds: Scaled): Scaled[] {
  const closures: Scaled[] = []
  let left = quantity
  let proceedsLeft = proceeds
  while (left > 0n) {
    const lot = position.lots[position.head]
    if (lot === undefined) break
    const taken = min(lot.quantity, left)
    // The last part takes what is left over, so that the parts add up to the whole exactly.
    const share = taken === left ? proceedsLeft : (proceeds * taken) / quantity
    const cost = taken === lot.quantity ? lot.cost : (lot.cost * taken) / lot.quantity
    closures.push(share - cost)
    lot.quantity -= taken
    lot.cost -= cost
    position.quantity -= taken
    position.cost -= cost
    left -= taken
    proceedsLeft -= share
    if (lot.quantity === 0n) dropHead(position)
  }
  return closures
}

/** Closed lots are dropped in bulk: shifting an array one by one is quadratic. */
const headMax = 1_024

function dropHead(position: Position): void {
  position.head += 1
  if (position.head < headMax && position.head < position.lots.length) return
  position.lots = position.lots.slice(position.head)
  position.head = 0
}

function consumeAverage(position: Position, quantity: Scaled, proceeds: Scaled): Scaled[] {
  const isAll = quantity === position.quantity
  const cost = isAll ? position.cost : (position.cost * quantity) / position.quantity
  position.quantity -= quantity
  position.cost -= cost
  return [proceeds - cost]
}

function min(a: Scaled, b: Scaled): Scaled {
  return a < b ? a : b
}
