import { formatMoney, type Money, moneyOf } from '../amount.ts'

/** The notional limit counts what was entered in the last so many milliseconds. */
const windowMs = 60_000

/** What an account has entered in the last minute, by second of the wall clock. */
export type NotionalWindow = {
  /** By whole seconds, so up to a second more than a minute: it denies early, never late. */
  sum(at: Date): Money
  add(at: Date, notional: Money): void
  /** The column's new value; undefined when nothing was added. */
  changed(): Readonly<Record<string, string>> | undefined
}

/** Of a column of sums by second. Most transactions never ask for it, so it is read when one does. */
export function notionalWindow(column: Readonly<Record<string, string>>): NotionalWindow {
  let seconds: Map<number, Money> | undefined
  let total = 0n
  let hasChanged = false

  function read(): Map<number, Money> {
    const sums = Object.entries(column).map(([key, sum]) => [Number(key), moneyOf(sum)] as const)
    for (const [, sum] of sums) total += sum
    return new Map(sums)
  }

  /** The oldest come first. */
  function from(at: Date): Map<number, Money> {
    seconds ??= read()
    const first = Math.floor((at.getTime() - windowMs) / 1_000)
    for (const [second, sum] of seconds) {
      if (second >= first) break
      seconds.delete(second)
      total -= sum
    }
    return seconds
  }

  return {
    sum(at) {
      from(at)
      return total
    },
    add(at, notional) {
      const second = Math.floor(at.getTime() / 1_000)
      const window = from(at)
      window.set(second, (window.get(second) ?? 0n) + notional)
      total += notional
      hasChanged = true
    },
    changed() {
      if (!hasChanged || seconds === undefined) return undefined
      return Object.fromEntries([...seconds].map(([second, sum]) => [second, formatMoney(sum)]))
    },
  }
}
