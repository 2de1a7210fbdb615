import { invariant } from '../../invariant.ts'
import type { Money } from '../amount.ts'
import type { OrderState, Trade } from '../order.ts'
import { applyFill, cashEffect, flat, type Position } from '../position.ts'
import {
  type DeskAccount,
  type DeskOrder,
  type DeskPosition,
  type Held,
  heldBy,
  positionKey,
} from './desk-view.ts'

/** A position's figures at the end of a trading day, so far. */
export type PositionDay = {
  readonly account: string
  readonly symbol: string
  readonly day: string
  readonly position: Position
}

export type LedgerChanges = {
  readonly accounts: ReadonlySet<DeskAccount>
  /** By account and trade id: what was changed twice is stored once. */
  readonly fills: ReadonlyMap<string, { readonly order: DeskOrder; readonly trade: Trade }>
  readonly positions: ReadonlyMap<string, DeskPosition>
  readonly days: ReadonlyMap<string, PositionDay>
}

export type LoadedLedger = {
  readonly accounts: ReadonlyMap<string, DeskAccount>
  readonly positions: ReadonlyMap<string, DeskPosition & { readonly lastDay: string | undefined }>
  /** The trading day of a venue's time. */
  readonly dayOf: (timeMs: number) => string
}

/** The loaded rows, and which of them have changed. */
function openBooks(loaded: LoadedLedger) {
  const positions = new Map<string, DeskPosition>(loaded.positions)
  const accounts = new Set<DeskAccount>()
  const fills = new Map<string, { order: DeskOrder; trade: Trade }>()
  const touched = new Map<string, DeskPosition>()
  const days = new Map<string, PositionDay>()

  function account(id: string): DeskAccount {
    const found = loaded.accounts.get(id)
    invariant(found !== undefined, `account ${id} is locked`)
    return found
  }

  function position(accountId: string, symbol: string): DeskPosition {
    const key = positionKey(accountId, symbol)
    const found = positions.get(key)
    if (found !== undefined) return found
    const fresh: DeskPosition = { position: flat, openBuy: 0n, openSell: 0n }
    positions.set(key, fresh)
    return fresh
  }

  function addCash(id: string, amount: Money): void {
    const owner = account(id)
    owner.cash += amount
    accounts.add(owner)
  }

  return {
    ...{ account, position, addCash },
    changeAccount(id: string): DeskAccount {
      const owner = account(id)
      accounts.add(owner)
      return owner
    },
    changePosition(accountId: string, symbol: string): DeskPosition {
      const place = position(accountId, symbol)
      touched.set(positionKey(accountId, symbol), place)
      return place
    },
    keepFill(order: DeskOrder, trade: Trade): void {
      fills.set(`${order.state.terms.account} ${trade.tradeId}`, { order, trade })
    },
    keepDay(day: PositionDay): void {
      days.set(`${positionKey(day.account, day.symbol)} ${day.day}`, day)
    },
    changes: (): LedgerChanges => ({ accounts, fills, positions: touched, days }),
  }
}

/** Money and positions of the locked accounts, in memory, with what has changed. */
export function openLedger(loaded: LoadedLedger) {
  const books = openBooks(loaded)
  const { account, position, addCash, keepFill } = books
  const lastDays = new Map([...loaded.positions].map(([key, { lastDay }]) => [key, lastDay]))
  /** Positions to be folded anew: a trade was corrected, or came after its day. */
  const stale = new Map<string, { readonly account: string; readonly symbol: string }>()

  return {
    account,
    position,
    stale,
    changes: books.changes,
    /** Runs `change` and holds what the order holds then instead of what it held before. */
    settleHeld(order: DeskOrder, change: () => void): void {
      const { account: id, symbol, side } = order.state.terms
      const before = heldBy(order)
      change()
      const after = heldBy(order)
      if (isSame(before, after)) return
      const owner = books.changeAccount(id)
      owner.reserved += after.money - before.money
      owner.openOrders += after.orders - before.orders
      const place = books.changePosition(id, symbol)
      if (side === 'buy') place.openBuy += after.quantity - before.quantity
      else place.openSell += after.quantity - before.quantity
    },
    book(order: DeskOrder, trade: Trade): void {
      const { account: id, symbol, side } = order.state.terms
      const key = positionKey(id, symbol)
      const place = books.changePosition(id, symbol)
      addCash(id, cashEffect({ side, ...trade }))
      place.position = applyFill(place.position, { side, ...trade })
      keepFill(order, trade)
      const day = loaded.dayOf(trade.at)
      const last = lastDays.get(key)
      if (last !== undefined && day < last) stale.set(key, { account: id, symbol })
      else lastDays.set(key, day)
      books.keepDay({ account: id, symbol, day, position: place.position })
    },
    /** Trades that are no longer what they were: cash follows, the position is folded anew. */
    correct(order: DeskOrder, before: OrderState): void {
      const { state } = order
      const { account: id, symbol, side } = state.terms
      for (const [tradeId, trade] of state.trades) {
        const known = before.trades.get(tradeId)
        if (known === trade) continue
        if (known !== undefined) addCash(id, -cashEffect({ side, ...known }))
        addCash(id, cashEffect({ side, ...trade }))
        keepFill(order, trade)
      }
      stale.set(positionKey(id, symbol), { account: id, symbol })
    },
    refold(id: string, symbol: string, folded: readonly PositionDay[]): void {
      books.changePosition(id, symbol).position = folded.at(-1)?.position ?? flat
      for (const day of folded) books.keepDay(day)
    },
  }
}

function isSame(before: Held, after: Held): boolean {
  return (
    before.money === after.money &&
    before.quantity === after.quantity &&
    before.orders === after.orders
  )
}

export type Ledger = ReturnType<typeof openLedger>
