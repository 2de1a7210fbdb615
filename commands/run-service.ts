import type { Log } from '#core/log.ts'
import type { CommandIo } from './command-io.ts'
import { exitOnBug } from './process-life.ts'

/** Milliseconds that a start under way gets to open what it is about to open, and to be closed whole. */
const startGraceMs = 1_000

/** What a start is handed: whatever it opens it leaves to the stack. */
export type Service = {
  readonly log: Log
  readonly stack: AsyncDisposableStack
}

/**
 * A service from its first connection to its end. A signal ends it in order whenever it comes: in
 * the midst of the start what is open by then is closed, and a dependency that does not answer is no
 * longer waited for. Throws what the start throws.
 */
export async function runService(
  { terminated }: Pick<CommandIo, 'terminated'>,
  options: {
    readonly log: Log
    readonly start: (service: Service) => Promise<void>
    readonly onSignal: (signal: NodeJS.Signals) => void
    /** For a start that must not be left half way. */
    readonly graceMs?: number
  },
): Promise<void> {
  const { log, start, onSignal, graceMs = startGraceMs } = options
  exitOnBug(log)
  const signalled = terminated()
  await using stack = new AsyncDisposableStack()
  stack.defer(() => log.flush())
  const started = start({ log, stack })
  const early = await Promise.race([started.then(() => undefined), signalled])
  onSignal(early ?? (await signalled))
  if (early === undefined) return
  // What it fails with now is the end of what was closed under it.
  await Promise.race([started.catch(() => undefined), Bun.sleep(graceMs)])
}
