import { absoluteOf, type Price, type Quantity } from './amount.ts'
import { type Fill, flat, type Position, splitFill } from './position.ts'

type Lot = { readonly quantity: Quantity; readonly price: Price }
type Stack = { readonly lot: Lot; readonly below: Stack } | undefined

/**
 * A position by lots, first in first out. What is closed costs what it was opened for, so nothing
 * is rounded. The lots are a queue of two stacks: the oldest on top of `oldest`, the newest on top
 * of `newest`; each is turned over once, however many there are.
 */
export type LotPosition = Position & { readonly oldest: Stack; readonly newest: Stack }

export const flatLots: LotPosition = { ...flat, oldest: undefined, newest: undefined }

/** By FIFO cost. A fill that crosses zero closes all, and opens the remainder at its price. */
export function applyFillToLots(position: LotPosition, fill: Fill): LotPosition {
  const { closing, opening } = splitFill(position.quantity, fill)
  const { oldest, newest, cost } = closeLots(position, closing)
  const lot = { quantity: opening, price: fill.price }
  return {
    quantity: position.quantity + closing + opening,
    cost: position.cost - cost + opening * fill.price,
    realised: position.realised - closing * fill.price - cost,
    fees: position.fees + fill.fee,
    oldest,
    newest: opening === 0n ? newest : { lot, below: newest },
  }
}

/** Oldest first, signed as the position is. */
export function openLots(position: LotPosition): readonly Lot[] {
  return [...lotsOf(position.oldest), ...[...lotsOf(position.newest)].reverse()]
}

function closeLots(position: LotPosition, closing: Quantity) {
  let { oldest, newest } = position
  let cost = 0n
  let left = -closing
  while (left !== 0n) {
    if (oldest === undefined) {
      oldest = turnOver(newest)
      newest = undefined
    }
    if (oldest === undefined) throw new Error('invariant: the lots add up to the position')
    const { lot, below } = oldest
    const isWhole = absoluteOf(lot.quantity) <= absoluteOf(left)
    const taken = isWhole ? lot.quantity : left
    cost += taken * lot.price
    left -= taken
    oldest = isWhole ? below : { lot: { quantity: lot.quantity - taken, price: lot.price }, below }
  }
  return { oldest, newest, cost }
}

function turnOver(stack: Stack): Stack {
  let turned: Stack
  for (const lot of lotsOf(stack)) turned = { lot, below: turned }
  return turned
}

function* lotsOf(stack: Stack): Generator<Lot> {
  for (let top = stack; top !== undefined; top = top.below) yield top.lot
}
