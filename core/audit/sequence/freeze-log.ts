import type { LogDatabase } from './log-database.ts'
import type { Publisher } from './publisher.ts'
import type { Sequencer } from './sequencer.ts'

/** Milliseconds between two tries; another leader is followed within its lease. */
const againMs = 500

/**
 * Ends a log: whatever waits gets its place, no more records are taken, and the last tree is
 * published. Returns its size. Throws what sequencing and publishing throw, and the signal's reason.
 */
export async function freezeLog(
  {
    sequencer,
    publisher,
    database,
  }: {
    readonly sequencer: Sequencer
    readonly publisher: Publisher
    readonly database: LogDatabase
  },
  signal: AbortSignal,
): Promise<number> {
  while (!(await isFrozen(sequencer, database))) {
    signal.throwIfAborted()
    await Bun.sleep(againMs)
  }
  const last = await database.newestTree()
  if (last !== undefined) await publisher.publish(last)
  await sequencer.release()
  return last?.size ?? 0
}

async function isFrozen(sequencer: Sequencer, database: LogDatabase): Promise<boolean> {
  let turn = await sequencer.turn()
  while (turn.kind === 'appended') turn = await sequencer.turn()
  const head = sequencer.head()
  if (turn.kind === 'frozen' || head === undefined) return turn.kind === 'frozen'
  return await database.freeze(head)
}
