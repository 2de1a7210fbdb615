import { invariant } from '../invariant.ts'
import type { Money, Price } from './amount.ts'
import { applyFillToLots, flatLots } from './lots.ts'
import {
  applyFill,
  cashEffect,
  type Fill,
  flat,
  marketValue,
  type Position,
  unrealised,
} from './position.ts'

export const costMethods = ['average', 'fifo'] as const
export type CostMethod = (typeof costMethods)[number]

/** `at` in milliseconds. A trade that was cancelled has quantity and fee 0. */
export type PnlFill = Fill & { readonly symbol: string; readonly at: number }

export type DailyPnl = {
  /** `YYYY-MM-DD`, of the exchange. */
  readonly day: string
  /** Of this day, before fees. */
  readonly realised: Money
  /** Of this day. */
  readonly fees: Money
  /** Of all that is held at the day's end; undefined when a mark is missing. */
  readonly unrealised: Money | undefined
  /** Cash and market value at the day's end; undefined when a mark is missing. */
  readonly equity: Money | undefined
  /** What is held without a mark. */
  readonly unmarked: readonly string[]
}

export type PnlOptions = {
  readonly method: CostMethod
  /** The days to report, ascending. A fill between two of them counts for the later one. */
  readonly days: readonly string[]
  readonly startingCash: Money
  /** The exchange's day of a time. */
  readonly dayOf: (at: number) => string
  /** The price of a symbol at a day's end. */
  readonly markOf: (symbol: string, day: string) => Price | undefined
}

/**
 * One row for each day. The fills are all of the account's from its start, in order of time; those
 * before the first day only make up what was held, and those after the last are left unread.
 */
export function dailyPnl(fills: Iterable<PnlFill>, options: PnlOptions): readonly DailyPnl[] {
  const book = createBook(options.method)
  const pending = fills[Symbol.iterator]()
  let next = pending.next()
  let cash = options.startingCash
  let dayBefore = ''

  function bookUntil(isDue: (day: string) => boolean): void {
    while (next.done !== true) {
      const day = options.dayOf(next.value.at)
      if (!isDue(day)) return
      invariant(day >= dayBefore, 'fills come in order of time')
      dayBefore = day
      book.apply(next.value)
      cash += cashEffect(next.value)
      next = pending.next()
    }
  }

  const [first] = options.days
  if (first !== undefined) bookUntil((day) => day < first)
  return options.days.map((day, at) => {
    const previous = options.days[at - 1]
    invariant(previous === undefined || previous < day, 'days ascend')
    const before = book.totals()
    bookUntil((filled) => filled <= day)
    const after = book.totals()
    const held = book.valueAt((symbol) => options.markOf(symbol, day))
    return {
      day,
      realised: after.realised - before.realised,
      fees: after.fees - before.fees,
      unrealised: held.unrealised,
      equity: held.marketValue === undefined ? undefined : cash + held.marketValue,
      unmarked: held.unmarked,
    }
  })
}

type Book = {
  apply(fill: PnlFill): void
  totals(): { readonly realised: Money; readonly fees: Money }
  valueAt(markOf: (symbol: string) => Price | undefined): {
    readonly marketValue: Money | undefined
    readonly unrealised: Money | undefined
    readonly unmarked: readonly string[]
  }
}

function createBook(method: CostMethod): Book {
  return method === 'fifo' ? bookOf(flatLots, applyFillToLots) : bookOf(flat, applyFill)
}

/** The positions of one account by symbol. */
function bookOf<P extends Position>(empty: P, applyTo: (position: P, fill: Fill) => P): Book {
  const positions = new Map<string, P>()
  let realised = 0n
  let fees = 0n
  return {
    apply(fill) {
      const before = positions.get(fill.symbol) ?? empty
      const after = applyTo(before, fill)
      positions.set(fill.symbol, after)
      realised += after.realised - before.realised
      fees += fill.fee
    },
    totals: () => ({ realised, fees }),
    valueAt(markOf) {
      const unmarked: string[] = []
      let value = 0n
      let gain = 0n
      for (const [symbol, position] of positions) {
        if (position.quantity === 0n) continue
        const mark = markOf(symbol)
        if (mark === undefined) {
          unmarked.push(symbol)
          continue
        }
        value += marketValue(position, mark)
        gain += unrealised(position, mark)
      }
      return unmarked.length === 0
        ? { marketValue: value, unrealised: gain, unmarked }
        : { marketValue: undefined, unrealised: undefined, unmarked }
    },
  }
}
