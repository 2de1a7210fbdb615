import { seededRandom } from './seeded-random.ts'

/** Losses on purpose, drawn from a seed; the chances are in [0, 1]. */
export type PaperFaults = {
  readonly seed: number
  /** The order is placed, the answer is `unknown`, and no report tells of its acknowledgement. */
  readonly loseAck?: number
  /** The answer is `unknown` and nothing was placed. */
  readonly loseSubmit?: number
  readonly duplicateReport?: number
  /** Milliseconds that a report is late, evenly between the two. */
  readonly delayMs?: readonly [number, number]
}

export type PaperDice = {
  /** Of an account's own chance. */
  happens(chance: number): boolean
  losesAck(): boolean
  losesSubmit(): boolean
  /** How late each delivery of a report is: one entry, or two of a duplicate. */
  deliveriesMs(): readonly number[]
}

export function paperDice(faults: PaperFaults): PaperDice {
  const random = seededRandom(faults.seed)
  const {
    loseAck = 0,
    loseSubmit = 0,
    duplicateReport = 0,
    delayMs: [least, most] = [0, 0],
  } = faults
  const lateMs = () => least + random() * (most - least)
  // A loss that cannot happen draws nothing.
  const happens = (chance: number) => chance > 0 && random() < chance
  return {
    happens,
    losesAck: () => random() < loseAck,
    losesSubmit: () => random() < loseSubmit,
    deliveriesMs: () => (random() < duplicateReport ? [lateMs(), lateMs()] : [lateMs()]),
  }
}
