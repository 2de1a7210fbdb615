import type { Sql, TransactionSql } from 'postgres'
import { type BreakerState, breakerVerdict, unknownBreaker } from '../../market/breaker.ts'
import {
  type Markets,
  readMarkets,
  readSymbolRecords,
  type SymbolRecord,
} from '../../market/postgres-market-store.ts'
import { exchangeDay } from '../../market/session.ts'
import type { Instrument, MarketVerdict, SymbolMarket } from '../check-input.ts'
import type { MarketClock } from './desk-view.ts'

/** What a transaction has read of the market; every decision of it is made by the same. */
export type MarketSnapshot = {
  /** Milliseconds; undefined for a replay that has no bar yet. */
  clockMs(clock: MarketClock): number | undefined
  breaker(clock: MarketClock): BreakerState | undefined
  verdict(clock: MarketClock, freshMs: number): MarketVerdict
  instrument(symbol: string, clock: MarketClock): Instrument | undefined
  symbolMarket(symbol: string, clock: MarketClock): SymbolMarket | undefined
  sector(symbol: string): string | undefined
}

export type ReadMarket = (
  sql: Sql | TransactionSql,
  symbols: readonly string[],
) => Promise<MarketSnapshot>

/** `now` is the clock of live accounts. */
export function marketReader(now: () => Date): ReadMarket {
  return async (sql, symbols) => {
    const nowMs = now().getTime()
    const [markets, recordOf] = await Promise.all([
      readMarkets(sql),
      readSymbolRecords(sql, symbols, nowMs),
    ])
    return snapshot(markets, recordOf, nowMs)
  }
}

function snapshot(
  markets: Markets,
  recordOf: Awaited<ReturnType<typeof readSymbolRecords>>,
  nowMs: number,
): MarketSnapshot {
  const clockMs = (clock: MarketClock) => (clock === 'live' ? nowMs : markets.replay.timeMs)
  return {
    clockMs,
    breaker: (clock) => markets[clock].breaker,
    verdict(clock, freshMs) {
      const atMs = clockMs(clock)
      if (atMs === undefined) return { kind: 'unknown', ageMs: undefined }
      const { breaker, indexSymbol } = markets[clock]
      // An operator has said that this market has no index.
      if (indexSymbol === undefined) return { kind: 'open' }
      return breakerVerdict(breaker ?? unknownBreaker(exchangeDay(atMs)), atMs, freshMs)
    },
    instrument: (symbol, clock) => recordOf(symbol, clock)?.instrument,
    symbolMarket: (symbol, clock) => withQuote(recordOf(symbol, clock)),
    sector: (symbol) => recordOf(symbol, 'live')?.sector,
  }
}

/** Where only bars come in, or came last, the last price stands for bid and offer, without spread. */
function withQuote(record: SymbolRecord | undefined): SymbolMarket | undefined {
  if (record === undefined) return undefined
  const { market, last } = record
  const { quote } = market
  if (last === undefined || (quote !== undefined && quote.time >= last.atMs)) return market
  const price = Number(last.price)
  return {
    ...market,
    quote: { time: last.atMs, bid: price, ask: price, bidSize: 0, askSize: 0 },
    medianSpread: market.medianSpread ?? 0n,
  }
}
