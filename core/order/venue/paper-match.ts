import type { Bar, Quote } from '../../market/bar.ts'
import { type Price, type Quantity, unit } from '../amount.ts'
import {
  type AnyPrice,
  firstPrice,
  hasStop,
  isImmediate,
  isLimitInRange,
  isSideEmpty,
  isStopQuoted,
  isStopTraded,
  isWithinLimit,
  type PaperMarket,
  type PaperOptions,
  type WorkedOrder,
} from './paper-market.ts'
import { impactOf, worsened } from './paper-price.ts'

export type Match = {
  readonly trade: { readonly quantity: Quantity; readonly price: Price } | undefined
  readonly isTriggered: boolean
  /** What IOC and FOK leave is cancelled (FIX 5.0 SP2: never expired). */
  readonly end: 'canceled' | undefined
}

type Rules = PaperOptions & { readonly random: () => number }

/** Of Alpaca's documentation: how often a simulated fill is partial. */
const partialChance = 0.1
/** Volume counts in thousandths of a share: a double holds them up to 9 * 10^12 shares. */
const volumeParts = 1_000
const basisPointsPerUnit = 10_000n

// An order that does not meet the market costs a replay no object.
const nothing: Match = { trade: undefined, isTriggered: false, end: undefined }
const onlyTriggered: Match = { trade: undefined, isTriggered: true, end: undefined }
const ended: Match = { trade: undefined, isTriggered: false, end: 'canceled' }

/**
 * What becomes of an open order when it enters or the market moves. The price of a trade is on the
 * tick, rounded against the order and never worse than its limit. `strict` draws no random number.
 */
export function matchOrder(order: WorkedOrder, market: PaperMarket, rules: Rules): Match {
  if (market.clockMs < order.activeAtMs) return stay(order.isTriggered)
  if (market.isHalted) return leave(order, order.isTriggered)
  const quote = usableQuote(market, rules)
  const bar = usableBar(market, rules)
  if (rules.mode === 'alpaca') return matchNow(order, { quote, bar }, rules.random)
  if (bar !== undefined && bar.time > order.activeAtMs) {
    // The book is that of the bar's end: with an empty side there is nobody left to trade with.
    const isEmpty =
      bar.volume <= 0 || (market.quote !== undefined && isSideEmpty(order, market.quote))
    return isEmpty ? leave(order, order.isTriggered) : matchBar(order, bar, { market, rules })
  }
  // Without a book, the first price behind the order's entry is the next bar's open.
  return quote === undefined ? stay(order.isTriggered) : matchQuote(order, quote, market)
}

/** A crossed book is a fault of the feed. */
function usableQuote({ quote, clockMs }: PaperMarket, rules: Rules): Quote | undefined {
  if (quote === undefined || clockMs - quote.time > rules.dataAgeMaxMs) return undefined
  const isCrossed = quote.bid > 0 && quote.ask > 0 && quote.bid > quote.ask
  return isCrossed ? undefined : quote
}

function usableBar({ bar, clockMs }: PaperMarket, rules: Rules): Bar | undefined {
  return bar === undefined || clockMs - bar.time > rules.dataAgeMaxMs ? undefined : bar
}

/** The strict rule for a bar that the order has seen whole: its open first, then its range. */
function matchBar(
  order: WorkedOrder,
  bar: Bar,
  { market, rules }: { readonly market: PaperMarket; readonly rules: Rules },
): Match {
  const first = firstPrice(order, bar)
  if (first === undefined) return nothing
  const isTriggered = order.isTriggered || hasStop(order)
  const isTaking = isWithinLimit(order, first)
  // A stop that traded within the bar does not say whether its limit traded after that.
  const isResting = order.isTriggered || !hasStop(order)
  if (!isTaking && !(isResting && isLimitInRange(order, bar))) return leave(order, isTriggered)
  const volume = sharesOf(bar.volume)
  const open = (volume * BigInt(rules.participationBasisPoints)) / basisPointsPerUnit
  const quantity = quantityWithin(order, open - market.barVolumeUsed)
  if (quantity === 0n) return leave(order, isTriggered)
  // A limit that waited gives the price and pays no impact.
  const price = BigInt(isTaking ? first : (order.limitPrice ?? first))
  const impact = isTaking ? impactOf(price, market.barVolumeUsed + quantity, volume) : 0n
  return fill(order, { quantity, price: worsened(order, price, impact), isTriggered })
}

/** The strict rule for a book: the best price, as far as its size goes. */
function matchQuote(order: WorkedOrder, quote: Quote, { barVolumeUsed }: PaperMarket): Match {
  const isTriggered = order.isTriggered || isStopQuoted(order, quote)
  if (hasStop(order) && !isTriggered) return nothing
  const isBuy = order.side === 'buy'
  const price: AnyPrice = isBuy ? quote.ask : quote.bid
  if (isSideEmpty(order, quote) || !isWithinLimit(order, price)) return leave(order, isTriggered)
  const shown = sharesOf(isBuy ? quote.askSize : quote.bidSize)
  const quantity = quantityWithin(order, shown - barVolumeUsed)
  if (quantity === 0n) return leave(order, isTriggered)
  return fill(order, { quantity, price: worsened(order, BigInt(price)), isTriggered })
}

/** The simulator's rule: at the newer of the book and the last trade, in whole or a random part. */
function matchNow(
  order: WorkedOrder,
  { quote, bar }: { readonly quote: Quote | undefined; readonly bar: Bar | undefined },
  random: () => number,
): Match {
  const book =
    quote !== undefined && (bar === undefined || quote.time >= bar.time) ? quote : undefined
  const isTriggered =
    order.isTriggered ||
    (bar !== undefined && isStopTraded(order, bar)) ||
    (book !== undefined && isStopQuoted(order, book))
  if (hasStop(order) && !isTriggered) return nothing
  const price = book === undefined ? lastPrice(bar) : bestPrice(order, book)
  if (price === undefined || !isWithinLimit(order, price)) return leave(order, isTriggered)
  const quantity = randomPart(order, random)
  return fill(order, { quantity, price: worsened(order, BigInt(price)), isTriggered })
}

function bestPrice(order: WorkedOrder, quote: Quote): AnyPrice | undefined {
  if (isSideEmpty(order, quote)) return undefined
  return order.side === 'buy' ? quote.ask : quote.bid
}

/** The close of a bar without volume is an older bar's price. */
function lastPrice(bar: Bar | undefined): AnyPrice | undefined {
  return bar === undefined || bar.volume <= 0 ? undefined : bar.close
}

function sharesOf(volume: number): Quantity {
  return BigInt(Math.floor(volume * volumeParts)) * (unit / BigInt(volumeParts))
}

/** Whole shares when the order is cut; nothing when FOK would be. */
function quantityWithin({ leaves, timeInForce }: WorkedOrder, available: Quantity): Quantity {
  if (leaves <= available) return leaves
  if (timeInForce === 'fok' || available <= 0n) return 0n
  return available - (available % unit)
}

function randomPart({ leaves, timeInForce }: WorkedOrder, random: () => number): Quantity {
  const wholeShares = leaves / unit
  if (timeInForce === 'fok' || wholeShares < 2n || random() >= partialChance) return leaves
  return BigInt(1 + Math.floor(random() * (Number(wholeShares) - 1))) * unit
}

function stay(isTriggered: boolean): Match {
  return isTriggered ? onlyTriggered : nothing
}

/** The market was there and the order did not trade. */
function leave(order: WorkedOrder, isTriggered: boolean): Match {
  return isImmediate(order) ? ended : stay(isTriggered)
}

function fill(
  order: WorkedOrder,
  trade: { readonly quantity: Quantity; readonly price: Price; readonly isTriggered: boolean },
): Match {
  const { quantity, price, isTriggered } = trade
  const isCut = quantity < order.leaves && isImmediate(order)
  return { trade: { quantity, price }, isTriggered, end: isCut ? 'canceled' : undefined }
}
