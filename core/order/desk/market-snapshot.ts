import type { Instrument, MarketVerdict, SymbolMarket } from '../check-input.ts'
import type { MarketClock } from './desk-view.ts'

/** What a transaction has read of the market; every decision of it is made by the same. */
export type MarketSnapshot = {
  /** Milliseconds; undefined for a replay that has no bar yet. */
  clockMs(clock: MarketClock): number | undefined
  verdict(clock: MarketClock, freshMs: number): MarketVerdict
  instrument(symbol: string): Instrument | undefined
  symbolMarket(symbol: string): SymbolMarket | undefined
  sector(symbol: string): string | undefined
}
