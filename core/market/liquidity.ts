import { type Price, type Quantity, unit } from '../order/amount.ts'

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
