import { type Money, type Price, type Quantity, unit } from '../amount.ts'
import type { PaperOptions, WorkedOrder } from './paper-market.ts'

/** Regulation NMS, Rule 612: cents from a dollar on, hundredths of a cent below. */
const centTick = unit / 100n
const subPennyTick = unit / 10_000n
/** Of the volume-share model: impact is a tenth of the squared part of volume, times the price. */
const impactDivisor = 10n
const basisPointsPerUnit = 10_000n

/** What a trade costs, rounded up to the smallest unit of money as fees are. */
export function feeOf(
  trade: { readonly quantity: Quantity; readonly price: Price },
  { feePerShare, feeBasisPoints }: PaperOptions,
): Money {
  const ofNotional = trade.quantity * trade.price * BigInt(feeBasisPoints)
  return trade.quantity * feePerShare + divideUp(ofNotional, basisPointsPerUnit)
}

/** How far the price moves when so much of a bar's volume is taken. */
export function impactOf(price: Price, taken: Quantity, volume: Quantity): Price {
  return divideUp(price * taken * taken, impactDivisor * volume * volume)
}

/** On the tick, moved against the order by the impact, but never beyond its limit. */
export function worsened(
  { side, limitPrice }: WorkedOrder,
  price: Price,
  impact: Price = 0n,
): Price {
  if (side === 'buy') {
    const asked = price + impact
    const tick = tickOf(asked)
    const rounded = divideUp(asked, tick) * tick
    return limitPrice !== undefined && rounded > limitPrice ? limitPrice : rounded
  }
  const bid = price - impact
  const tick = tickOf(bid)
  const rounded = bid < tick ? tick : bid - (bid % tick)
  return limitPrice !== undefined && rounded < limitPrice ? limitPrice : rounded
}

function tickOf(price: Price): Price {
  return price >= unit ? centTick : subPennyTick
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}
