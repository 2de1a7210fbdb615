import type { TileSource } from '../store/tile-source.ts'
import { checkPart, type PartResult, type PartTask } from './check-part.ts'
import { logReader } from './log-reader.ts'

/** Who checks parts: this thread, or as many threads as there are cores. */
export type PartRunner = {
  /** Parts to have under way so that nobody waits. */
  readonly underWayMax: number
  run(task: PartTask): Promise<PartResult>
  [Symbol.dispose](): void
}

/** Checks on the calling thread: one part is read while another is hashed. */
export function inlineParts(source: TileSource): PartRunner {
  const reader = logReader(source)
  return {
    underWayMax: 2,
    run: (task) => checkPart(reader, task),
    [Symbol.dispose]: () => undefined,
  }
}
