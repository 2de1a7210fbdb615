import { writeSync } from 'node:fs'
import { seededRandom } from '#core/order/venue/seeded-random.ts'

/** Where a worker dies; each but the last counts passages, so that it dies in the midst of work. */
export const killPoints = [
  'before the intent',
  'after the intent',
  'after the call',
  'after the record',
  'at any moment',
] as const
export type KillPoint = (typeof killPoints)[number]

/** Passages for each order that a life may last; of the last, milliseconds. */
const passagesPerOrder: Readonly<Record<KillPoint, number>> = {
  'before the intent': 0.5,
  'after the intent': 1,
  'after the call': 1,
  'after the record': 2.5,
  'at any moment': 100,
}

/** What the parent reads; written at once, so that nothing of it dies with the process. */
export function tell(line: string): void {
  writeSync(1, `${line}\n`)
}

export type Pass = (point: KillPoint, what: string) => void

/**
 * From the seed and the number of this life, the one passage that this process does not survive:
 * it comes within about so many `orders`.
 */
export function killPlan(seed: number, life: number, orders: number): Pass {
  const random = seededRandom(seed * 1_000_003 + life)
  const chosen = killPoints[Math.floor(random() * killPoints.length)] ?? 'at any moment'
  let left = 1 + Math.floor(random() * orders * passagesPerOrder[chosen])
  if (chosen === 'at any moment') setTimeout(() => die(chosen, ''), left)

  return (point, what) => {
    if (point !== chosen) return
    left -= 1
    if (left === 0) die(point, what)
  }
}

/** The same for a process that is killed by the clock alone. */
export function dieWithin(msMax: number, seed: number, life: number): void {
  const random = seededRandom(seed * 1_000_003 + life)
  setTimeout(() => die('at any moment', ''), random() * msMax)
}

function die(point: KillPoint, what: string): void {
  tell(`kill ${point}: ${what}`)
  process.kill(process.pid, 'SIGKILL')
}

/** A life that ends only when it is told to. */
export const spared: Pass = () => undefined
