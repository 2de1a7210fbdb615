import type { WitnessPolicy } from '../note/policy.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import { SourceUnreachable, type TileSource } from '../store/tile-source.ts'
import type { VerifyReport } from './report.ts'
import { verifyLog } from './verify-log.ts'

export type WatchOptions = {
  readonly source: TileSource
  readonly logKeys: readonly VerifierKey[]
  readonly policy?: WitnessPolicy | undefined
  /** Seconds that the newest sign of life may be old; undefined: not asked. */
  readonly maxAgeSeconds?: number | undefined
  /** Milliseconds between two rounds. */
  readonly everyMs: number
  readonly now: () => Date
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Each round's verdict; the first is of the whole log, later ones of what came since. */
  readonly onReport: (report: VerifyReport) => void
}

/**
 * Verifies a log again and again, each time from where it was right: the growth alone is read, and
 * the tree must begin with the last one that was. Ends when `signal` is aborted.
 */
export async function watchLog(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { source, logKeys, policy, maxAgeSeconds: seconds, now, sleep, everyMs } = options
  let from = 0
  let lastKnown: string | undefined
  while (!signal.aborted) {
    const note = await readNote(source)
    const maxAge = seconds === undefined ? undefined : { seconds, now: now() }
    const report = await verifyLog({ source, logKeys, policy, maxAge, from, lastKnown, signal })
    options.onReport(report)
    if (report.worst === undefined && report.checkpoint !== undefined) {
      from = report.checkpoint.size
      lastKnown = note ?? lastKnown
    }
    await sleep(everyMs, signal)
  }
}

/** Before the verification, so that what is kept is never newer than what was verified. */
async function readNote(source: TileSource): Promise<string | undefined> {
  try {
    const bytes = await source.read('checkpoint')
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  } catch (error) {
    if (error instanceof SourceUnreachable) return undefined
    throw error
  }
}
