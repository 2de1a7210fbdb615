import { drawdownVerdict } from '../../market/drawdown-breaker.ts'
import type { CheckInput, EffectiveState } from '../check-input.ts'
import type { OrderTerms } from '../order.ts'
import type { DeskWork } from './desk-transaction.ts'
import { type DeskAccount, type DeskOrder, heldBy, positionKey } from './desk-view.ts'
import type { EntryView } from './entry-view.ts'
import { effectiveState } from './switches.ts'
import { venueCapabilities } from './venue-capabilities.ts'

export function checkInputOf(
  work: DeskWork,
  view: EntryView,
  { terms, twin, self }: { terms: OrderTerms; twin?: bigint; self?: DeskOrder },
): CheckInput {
  const { desk, at } = work
  const { market } = view
  const account = desk.account(terms.account)
  const sector = market.sector(terms.symbol)
  const limits = view.limitsFor({ ...terms, sector })
  const clockMs = market.clockMs(account.clock)
  const place = desk.position(terms.account, terms.symbol)
  const twinAt = twin === undefined ? undefined : view.twins.get(twin)
  const resting = view.resting.get(positionKey(terms.account, terms.symbol))
  return {
    terms,
    // A replay without a bar has no time; nothing is fresh then.
    clockMs: clockMs ?? 0,
    state: effectiveState(view.switches, terms),
    market: market.verdict(account.clock, limits.dataAgeMaxMs),
    instrument: market.instrument(terms.symbol, account.clock),
    symbolMarket:
      clockMs === undefined ? undefined : market.symbolMarket(terms.symbol, account.clock),
    capabilities: venueCapabilities(account.venue),
    limits,
    account: {
      id: account.id,
      cash: account.cash,
      reserved: account.reserved,
      shortValue: view.shortValues.get(account.id) ?? 0n,
      openOrders: account.openOrders,
      isShortAllowed: account.isShortAllowed,
      notionalLastMinute: account.notionalWindow.sum(at),
      drawdown: drawdownState(account, clockMs),
    },
    position: {
      quantity: place.position.quantity,
      openBuy: place.openBuy,
      openSell: place.openSell,
      bestOwnBuy: resting?.bestOwnBuy,
      bestOwnSell: resting?.bestOwnSell,
    },
    firm: view.firm.of(sector, self && { symbol: terms.symbol, quantity: heldBy(self).quantity }),
    hasTwin:
      self === undefined &&
      twinAt !== undefined &&
      at.getTime() - twinAt < limits.duplicateWindowMs,
    recentExecutions: view.executions(terms.account, terms.strategy, terms.side),
    replaced: undefined,
  }
}

function drawdownState(
  { drawdown }: DeskAccount,
  clockMs: number | undefined,
): EffectiveState | undefined {
  if (drawdown === undefined || clockMs === undefined) return undefined
  const verdict = drawdownVerdict(drawdown, clockMs)
  if (verdict.state === 'ACTIVE') return undefined
  const level = verdict.state === 'HALTED' ? 3 : verdict.level
  return { state: verdict.state, scope: 'drawdown', reason: `level ${level}` }
}
