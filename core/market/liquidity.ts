import { type Price, type Quantity, unit } from '../order/amount.ts'
import type { Side } from '../order/order.ts'

/** Of the mean volume of a bar: 2.5 %, as in zipline's volume-share model. */
export const participationBasisPoints = 250
/** Bars whose volume is averaged. */
export const participationBars = 20
const basisPointsPerOne = 10_000n

/** The most an order may be of a bar that trades `meanVolume` shares on average; 0 when that is unknown. */
export function participationMax(meanVolume: number, basisPoints: number): Quantity {
  if (!(Number.isFinite(meanVolume) && meanVolume > 0 && basisPoints > 0)) return 0n
  const volume = BigInt(Math.floor(meanVolume)) * unit
  return (volume * BigInt(Math.floor(basisPoints))) / basisPointsPerOne
}

const medianSpreadsMax = 5n
/** 1 % of the mid is 1/200 of bid and ask together. */
const quotesPerSpread = 200n

/** For market orders: wider than five median spreads or than 1 % of the mid. A crossed or empty quote is. */
export function isSpreadTooWide(
  quote: { readonly bid: Price; readonly ask: Price },
  medianSpread: Price,
): boolean {
  const { bid, ask } = quote
  if (bid <= 0n || ask < bid) return true
  const spread = ask - bid
  return spread > medianSpreadsMax * medianSpread || spread * quotesPerSpread > bid + ask
}

/** Of an even number the lower of the two in the middle: the stricter, and a price. */
export function medianSpread(spreads: readonly Price[]): Price | undefined {
  const sorted = spreads.toSorted((a, b) => (a < b ? -1 : Number(a > b)))
  return sorted[Math.floor((sorted.length - 1) / 2)]
}

/** Zipline's price impact. */
const impact = 0.1
const doubleBits = 53n
const doubleSteps = 2 ** 53

export type SlippageInput = {
  readonly side: Side
  readonly price: Price
  readonly quantity: Quantity
  /** Shares that the bar traded. */
  readonly volume: number
  readonly participationBasisPoints: number
}

/**
 * What an execution costs beyond the price: `0.1 × min(q/V, limit)² × price`, to the next nano
 * against the order. Undefined without volume: nothing trades, and no stale price stands in.
 */
export function slippedPrice(input: SlippageInput): Price | undefined {
  if (!(input.volume > 0) || input.price <= 0n) return undefined
  const limit = input.participationBasisPoints / Number(basisPointsPerOne)
  const share = Math.min(Number(input.quantity) / Number(unit) / input.volume, limit)
  // A multiplication by a power of two is exact, so that the price itself is never a double.
  const steps = BigInt(Math.ceil(impact * share * share * doubleSteps))
  const slippage = (input.price * steps + (1n << doubleBits) - 1n) >> doubleBits
  return input.side === 'buy' ? input.price + slippage : input.price - slippage
}
