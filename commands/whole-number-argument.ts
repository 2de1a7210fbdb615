import { InvalidArgumentError } from 'commander'

/** Digits alone, and no more of them than `most` has: not 1e2, nor a sign. */
export function wholeNumberArgument(
  least: number,
  most: number,
  unit?: 'seconds',
): (text: string) => number {
  const digitsMax = String(most).length
  const of = unit === undefined ? '' : ` of ${unit}`
  return (text) => {
    const value = Number(text)
    const isPlain = /^\d+$/.test(text) && text.length <= digitsMax
    if (isPlain && value >= least && value <= most) return value
    throw new InvalidArgumentError(`a whole number${of} from ${least} to ${most}`)
  }
}
