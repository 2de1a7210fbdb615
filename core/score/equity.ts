import type { Scaled } from '../decimal.ts'
import { type Booking, type CostBasis, createLedger, type Ledger } from './cost-basis.ts'
import type { Trade } from './trade.ts'

export const dayMs = 86_400_000

/** One UTC calendar day of a wallet, in scaled USD. Days without trades are days too. */
export type EquityDay = {
  /** Days since 1970-01-01. */
  readonly day: number
  /** Everything held at the day's end, at the last price this wallet has seen for each token. */
  readonly equity: Scaled
  /** What came in from outside during the day. */
  readonly inflow: Scaled
  readonly realised: Scaled
  readonly volumeIn: Scaled
  readonly trades: number
  /** Whether a price older than the day was carried forward. A later price is never used. */
  readonly isPriceCarried: boolean
}

export type Totals = {
  readonly realised: Scaled
  readonly unmatchedProceeds: Scaled
  readonly fees: Scaled
  readonly separateFees: Scaled
  readonly volumeIn: Scaled
}

export type EquityCurve = {
  /** The window's days in order, from the first day of the wallet if that is later. */
  readonly days: readonly EquityDay[]
  /** Equity and its cost at the end of the day before the first of `days`. */
  readonly opening: { readonly equity: Scaled; readonly cost: Scaled }
  readonly closing: { readonly equity: Scaled; readonly cost: Scaled }
  /** Of the window only. */
  readonly totals: Totals
  /** P&L of each lot closed in the window. */
  readonly closures: readonly Scaled[]
  readonly history: {
    readonly trades: number
    readonly failed: number
    readonly wraps: number
    readonly firstTradeMs: number | undefined
    readonly lastTradeMs: number | undefined
    readonly unmatchedSales: number
  }
}

export type EquityOptions = {
  readonly costBasis: CostBasis
  /** First and last day of the window, both included. */
  readonly firstDay: number
  readonly lastDay: number
}

/**
 * The daily equity of one wallet, trades in order of time; those after the last day are not read.
 */
export function equityCurve(trades: readonly Trade[], options: EquityOptions): EquityCurve {
  const { costBasis, firstDay, lastDay } = options
  const ledger = createLedger(costBasis)
  const marks = createMarks(ledger)
  const history = createHistory()
  const days: EquityDay[] = []
  const closures: Scaled[] = []
  let window = createTotals()
  let opening = { equity: 0n, cost: 0n }
  let today = emptyDay()
  let day: number | undefined

  function closeDaysUntil(next: number): void {
    for (; day !== undefined && day < next; day += 1) {
      if (day < firstDay) {
        opening = { equity: marks.equity(), cost: ledger.cost() }
        day = Math.min(next, firstDay) - 1
        window = createTotals()
        closures.length = 0
      } else {
        days.push({ day, equity: marks.equity(), isPriceCarried: marks.isCarried(), ...today })
      }
      marks.beginDay()
      today = emptyDay()
    }
  }

  for (const trade of trades) {
    const tradeDay = Math.floor(trade.timeMs / dayMs)
    if (tradeDay > lastDay) break
    closeDaysUntil(tradeDay)
    const booking = ledger.book(trade)
    // Fees of failed attempts before the first trade belong to its day: alone they are no capital.
    if (booking.isTrade) day ??= tradeDay
    if (booking.isTrade) marks.update(trade)
    history.count(trade, booking)
    window.add(trade, booking)
    for (const closure of booking.closures) closures.push(closure)
    today = addToDay(today, trade, booking)
  }
  closeDaysUntil(lastDay + 1)
  return {
    days,
    opening,
    closing: { equity: marks.equity(), cost: ledger.cost() },
    totals: window.totals,
    closures,
    history: history.counts,
  }
}

function emptyDay() {
  return { inflow: 0n, realised: 0n, volumeIn: 0n, trades: 0 }
}

function addToDay(today: ReturnType<typeof emptyDay>, trade: Trade, booking: Booking) {
  return {
    inflow: today.inflow + booking.inflow,
    realised: today.realised + booking.realised,
    volumeIn: booking.isTrade ? today.volumeIn + trade.usdIn : today.volumeIn,
    trades: booking.isTrade ? today.trades + 1 : today.trades,
  }
}

function createTotals() {
  const totals = { realised: 0n, unmatchedProceeds: 0n, fees: 0n, separateFees: 0n, volumeIn: 0n }
  return {
    totals,
    add(trade: Trade, booking: Booking): void {
      totals.realised += booking.realised
      totals.unmatchedProceeds += booking.unmatchedProceeds
      totals.fees += trade.feeUsd
      totals.separateFees += booking.separateFee
      if (booking.isTrade) totals.volumeIn += trade.usdIn
    },
  }
}

function createHistory() {
  const counts: {
    trades: number
    failed: number
    wraps: number
    unmatchedSales: number
    firstTradeMs: number | undefined
    lastTradeMs: number | undefined
  } = {
    trades: 0,
    failed: 0,
    wraps: 0,
    unmatchedSales: 0,
    firstTradeMs: undefined,
    lastTradeMs: undefined,
  }
  return {
    counts,
    count(trade: Trade, booking: Booking): void {
      if (trade.failed) counts.failed += 1
      else if (!booking.isTrade) counts.wraps += 1
      if (!booking.isTrade) return
      counts.trades += 1
      counts.firstTradeMs ??= trade.timeMs
      counts.lastTradeMs = trade.timeMs
      if (booking.unmatchedProceeds !== 0n) counts.unmatchedSales += 1
    },
  }
}

type Mark = { value: Scaled; usd: Scaled; amount: Scaled; day: number }

/**
 * What the positions are worth at the last prices seen. Kept as a running sum: only the two tokens
 * of a swap change in price and quantity.
 */
function createMarks(ledger: Ledger) {
  const marks = new Map<string, Mark>()
  let equity = 0n
  let held = 0
  let day = 0
  let heldAtTodaysPrice = 0

  function mark(mint: string, usd: Scaled, amount: Scaled): void {
    const quantity = ledger.quantityOf(mint)
    const value = (quantity * usd) / amount
    const previous = marks.get(mint)
    if (previous !== undefined && previous.value > 0n) {
      equity -= previous.value
      held -= 1
      if (previous.day === day) heldAtTodaysPrice -= 1
    }
    if (value > 0n) {
      equity += value
      held += 1
      heldAtTodaysPrice += 1
    }
    if (previous === undefined) marks.set(mint, { value, usd, amount, day })
    else Object.assign(previous, { value, usd, amount, day })
  }

  return {
    update(trade: Trade): void {
      mark(trade.mintIn, trade.usdIn, trade.amountIn)
      mark(trade.mintOut, trade.usdOut, trade.amountOut)
    },
    equity: () => equity,
    isCarried: () => held > heldAtTodaysPrice,
    beginDay(): void {
      day += 1
      heldAtTodaysPrice = 0
    },
  }
}
