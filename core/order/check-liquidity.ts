import { isSpreadTooWide, participationMax } from '../market/liquidity.ts'
import { formatAmount } from './amount.ts'
import { type Denial, deny } from './check-denial.ts'
import { wholeBasisPoints } from './check-price.ts'
import { faultOfAge, type Subject } from './check-subject.ts'

/** Why the quote is none that an order may be judged by. */
export function faultOfQuote({ input, waiting }: Subject): Denial | undefined {
  const quote = input.symbolMarket?.quote
  const facts = { source: 'quote', symbol: input.terms.symbol }
  if (quote === undefined) return deny('STALE_MARKET_DATA', { ...facts, fault: 'missing' })
  const { bid, ask } = quote
  if (!Number.isSafeInteger(bid) || !Number.isSafeInteger(ask) || bid <= 0 || ask < bid) {
    return deny('STALE_MARKET_DATA', { ...facts, fault: 'not_sane' })
  }
  return faultOfAge('quote', quote.time, { input, isWaiting: waiting !== undefined })
}

/** At most a part of what one bar trades on average. */
export function checkParticipation({ input, leaves }: Subject): Denial | undefined {
  const volume = input.symbolMarket?.meanBarVolume
  if (volume === undefined || !Number.isFinite(volume) || volume < 0) {
    const fault = volume === undefined ? 'missing' : String(volume)
    const facts = { source: 'mean_bar_volume', symbol: input.terms.symbol, fault }
    return deny('STALE_MARKET_DATA', facts)
  }
  const basisPoints = Number(wholeBasisPoints(input.limits.participationBasisPoints))
  const allowed = participationMax(volume, basisPoints)
  if (leaves <= allowed) return undefined
  return deny('LIQUIDITY_LIMIT', { quantity: formatAmount(leaves), max: formatAmount(allowed) })
}

/** Market orders only; a limit says itself how far it goes. */
export function checkSpread(subject: Subject): Denial | undefined {
  const { terms, symbolMarket } = subject.input
  if (terms.type !== 'market') return undefined
  const fault = faultOfQuote(subject)
  if (fault !== undefined) return fault
  const median = symbolMarket?.medianSpread
  if (median === undefined || median < 0n) {
    const facts = { source: 'median_spread', symbol: terms.symbol, fault: 'missing' }
    return deny('STALE_MARKET_DATA', facts)
  }
  const bid = BigInt(symbolMarket?.quote?.bid ?? 0)
  const ask = BigInt(symbolMarket?.quote?.ask ?? 0)
  if (!isSpreadTooWide({ bid, ask }, median)) return undefined
  return deny('SPREAD_TOO_WIDE', {
    bid: formatAmount(bid),
    ask: formatAmount(ask),
    median_spread: formatAmount(median),
  })
}
