import { Database } from 'bun:sqlite'
import { z } from 'zod'

/** Milliseconds to wait for another writer, who needs a few for one file. */
const waitMsMax = 5_000
const pollMs = 10

const busy = z.object({ code: z.literal('SQLITE_BUSY') })

/**
 * One writer at a time, in this process and in others of this machine. The lock is the system's own,
 * taken by SQLite on an empty database: whoever is killed lets go of it, which a file that merely
 * stands there does not. Undefined where another one holds it all the while.
 */
export async function lockFile(path: string): Promise<Disposable | undefined> {
  using opened = new DisposableStack()
  const lock = opened.adopt(new Database(path, { create: true }), (open) => open.close())
  const endsAt = performance.now() + waitMsMax
  while (!isTaken(lock)) {
    if (performance.now() >= endsAt) return undefined
    await Bun.sleep(pollMs)
  }
  return opened.move()
}

function isTaken(lock: Database): boolean {
  try {
    lock.run('begin exclusive')
    return true
  } catch (error) {
    if (busy.safeParse(error).success) return false
    throw error
  }
}
