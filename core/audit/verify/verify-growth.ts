import type { Checkpoint } from '../note/checkpoint.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import type { TileSource } from '../store/tile-source.ts'
import { sameHash } from '../tree/hash.ts'
import { tileWidth } from '../tree/tile.ts'
import { isConsistent } from './check-history.ts'
import { collectFindings, type FoundSoFar, worstKind } from './findings.ts'
import { type LogReader, logReader } from './log-reader.ts'
import { openNewest } from './open-log.ts'
import { inlineParts } from './part-runner.ts'
import { walkLog } from './walk-log.ts'

export type Growth = {
  /** What is verified now: the newest checkpoint, or `verified` as it was where it does not hold. */
  readonly verified: Checkpoint | undefined
  readonly found: FoundSoFar
}

/**
 * Verifies what a published log has grown by since `verified`: that it begins with that tree, and
 * every entry, tile and hash behind it. Without `verified` the whole log is read. What is wrong
 * with the log is a finding; throws the signal's reason.
 */
export async function verifyGrowth(options: {
  readonly source: TileSource
  readonly logKeys: readonly VerifierKey[]
  readonly verified: Checkpoint | undefined
  readonly signal?: AbortSignal | undefined
}): Promise<Growth> {
  const { source, logKeys, verified } = options
  const reader = logReader(source)
  const findings = collectFindings()
  const opened = await openNewest(reader, logKeys)
  if (!('checkpoint' in opened)) {
    opened.forEach(findings.add)
    return { verified, found: findings.found() }
  }
  const { checkpoint } = opened
  if (!(await isGrowth(reader, { verified, checkpoint }, findings))) {
    return { verified, found: findings.found() }
  }
  if (checkpoint.size !== verified?.size) {
    using runner = inlineParts(source)
    const from = Math.floor((verified?.size ?? 0) / tileWidth) * tileWidth
    const plain = { isStrict: false, uniqueIds: undefined, onProgress: undefined }
    const walk = { reader, runner, checkpoint, from, findings, signal: options.signal }
    await walkLog({ ...plain, ...walk })
  }
  const found = findings.found()
  return { verified: worstKind(found.counts) === undefined ? checkpoint : verified, found }
}

/** False where it is none or cannot be told; a finding says which. */
async function isGrowth(
  reader: LogReader,
  trees: { readonly verified: Checkpoint | undefined; readonly checkpoint: Checkpoint },
  findings: ReturnType<typeof collectFindings>,
): Promise<boolean> {
  const { verified, checkpoint } = trees
  if (verified === undefined) return true
  const path = 'checkpoint'
  if (checkpoint.size < verified.size) {
    const detail = `the log has ${checkpoint.size} entries and had ${verified.size} before`
    findings.add({ code: 'truncated', path, detail })
    return false
  }
  const isSame = checkpoint.size === verified.size && sameHash(checkpoint.root, verified.root)
  const consistent =
    isSame || (await isConsistent(reader, { older: verified, newer: checkpoint }, findings.add))
  if (consistent === false) {
    const detail = `the log does not begin with the ${verified.size} entries it had before`
    findings.add({ code: 'last_known_differs', path, detail })
  }
  return consistent === true
}
