import { type Checkpoint, openCheckpoint } from '../note/checkpoint.ts'
import { NoteError } from '../note/note-error.ts'
import { judgeQuorum, type WitnessPolicy } from '../note/policy.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import type { TileSource } from '../store/tile-source.ts'
import { tileWidth } from '../tree/tile.ts'
import { checkHistory, findLastGood, isConsistent } from './check-history.ts'
import { collectFindings, type Findings } from './findings.ts'
import { type GapJudgement, judgeGaps } from './gaps.ts'
import { judgeAge, type MaxAge } from './judge-age.ts'
import { type LogReader, logReader } from './log-reader.ts'
import { type OpenedLog, openLog } from './open-log.ts'
import { inlineParts, type PartRunner } from './part-runner.ts'
import { type VerifyReport, verifyReport } from './report.ts'
import { openUniqueIds } from './unique-ids.ts'
import { type Walk, type WalkProgress, walkLog } from './walk-log.ts'

export type VerifyOptions = {
  readonly source: TileSource
  /** Keys that sign the log; more than one across a change of keys. Their name is the log's origin. */
  readonly logKeys: readonly VerifierKey[]
  /** Whose cosignatures the checkpoint must bear. */
  readonly policy?: WitnessPolicy | undefined
  /** The first entry to look at; rounded down to a whole tile. */
  readonly from?: number | undefined
  /** A signed checkpoint of this log that somebody kept: the log must begin with that tree. */
  readonly lastKnown?: string | undefined
  /** Also every record's bytes, form, id and number, and every checkpoint ever published. */
  readonly strict?: StrictOptions | undefined
  /** How old the newest sign of life may be. */
  readonly maxAge?: MaxAge | undefined
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined
  /** Aborting it ends the verification with its reason; nothing is left behind. */
  readonly signal?: AbortSignal | undefined
}

export type StrictOptions = {
  /** Checks the parts; the caller closes it. This thread does where there is none. */
  readonly runner?: PartRunner | undefined
  /** Has room for 24 bytes per entry while ids are compared. */
  readonly temporaryDirectory: string
}

/** What one verification has found out so far. */
type Course = {
  readonly options: VerifyOptions
  readonly reader: LogReader
  readonly findings: Findings
  readonly checked: string[]
  readonly notChecked: string[]
}

/**
 * Verifies a published log without its server or its database. Memory does not grow with the log.
 * Whatever is wrong with the log is in the report; throws only for bugs and when aborted.
 */
export async function verifyLog(options: VerifyOptions): Promise<VerifyReport> {
  const { source, logKeys } = options
  const reader = logReader(source)
  const findings = collectFindings()
  const course: Course = { options, reader, findings, checked: [], notChecked: [] }
  const { opened, sizes } = await openLog({ source, reader, logKeys, add: findings.add })
  const inFlight = opened === undefined ? [] : await verifyOpened(course, opened, sizes)
  const found = findings.found()
  const treeSize = opened?.checkpoint.size ?? sizes?.at(-1) ?? 0
  const sizeMax = Math.min(treeSize, found.firstBadIndex ?? treeSize)
  const isBroken = found.counts.integrity > 0
  return verifyReport({
    checkpoint: opened?.checkpoint,
    lastGood: isBroken
      ? await findLastGood({ reader, sizes: sizes ?? [], treeSize, sizeMax, logKeys })
      : undefined,
    inFlight,
    checked: course.checked,
    notChecked: course.notChecked,
    found,
  })
}

async function verifyOpened(
  course: Course,
  opened: OpenedLog,
  sizes: readonly number[] | undefined,
): Promise<GapJudgement['inFlight']> {
  const { checkpoint } = opened
  const edge = Math.floor(checkpoint.size / tileWidth) * tileWidth
  const wanted = Math.floor((course.options.from ?? 0) / tileWidth) * tileWidth
  const from = Math.min(wanted, edge)
  course.checked.push(`signature of ${checkpoint.origin}`)
  checkQuorum(course, opened)
  const { walk, inFlight } = await walkEntries(course, checkpoint, from)
  await checkLastKnown(course, checkpoint)
  await checkPublished(course, checkpoint, { sizes, from })
  await checkAge(course, opened, walk)
  return inFlight
}

function checkQuorum(
  { options, findings, checked, notChecked }: Course,
  { note }: OpenedLog,
): void {
  const { policy } = options
  if (policy === undefined || policy.quorum.kind === 'none') {
    notChecked.push('cosignatures of witnesses: no policy asks for them')
    return
  }
  const { satisfied, cosigned, missing } = judgeQuorum(policy, note)
  if (satisfied) {
    checked.push(`cosignatures of ${cosigned.join(', ')}`)
    return
  }
  const detail = `the policy's quorum is not reached; without a valid cosignature: ${missing.join(', ')}`
  findings.add({ code: 'quorum_missing', path: 'checkpoint', detail })
}

async function walkEntries(
  course: Course,
  checkpoint: Checkpoint,
  from: number,
): Promise<{ readonly walk: Walk; readonly inFlight: GapJudgement['inFlight'] }> {
  const { options, reader, findings, checked, notChecked } = course
  const { source, strict, onProgress, signal } = options
  const { size } = checkpoint
  using uniqueIds = strict && (await openUniqueIds(size - from, strict.temporaryDirectory))
  using ownRunner = strict?.runner === undefined ? inlineParts(source) : undefined
  const runner = strict?.runner ?? ownRunner
  const isStrict = strict !== undefined
  const plain = { reader, checkpoint, from, isStrict, findings, onProgress, signal }
  if (runner === undefined) throw new Error('invariant: somebody checks the parts')
  const walk = await walkLog({ ...plain, runner, uniqueIds })
  checked.push(`entries ${from} to ${size - 1} against their hashes, tiles against tiles, root`)
  if (from > 0) notChecked.push(`entries 0 to ${from - 1}: their tiles were taken as they are`)
  if (strict === undefined) {
    notChecked.push('form and bytes of the records, double ids, gaps: asked for with --strict')
    return { walk, inFlight: [] }
  }
  checked.push('canonical bytes and form of each record')
  uniqueIds?.finish(({ id, index, firstIndex }) => {
    findings.add({
      code: 'id_twice',
      index,
      detail: `entry ${index} has ${id} of entry ${firstIndex}`,
    })
  })
  if (uniqueIds !== undefined) checked.push('ids are unique')
  else findings.add({ code: 'ids_unchecked', detail: noRoom(strict.temporaryDirectory) })
  return { walk, inFlight: checkNumbers(course, walk, from) }
}

function noRoom(directory: string): string {
  return `${directory} has no room to compare ids`
}

function checkNumbers(course: Course, walk: Walk, from: number): GapJudgement['inFlight'] {
  if (from > 0) {
    course.notChecked.push('gaps: they show only in a log that is read from its first entry')
    return []
  }
  const { findings, inFlight } = judgeGaps(walk.ledger.facts(), walk.newestMs)
  findings.forEach(course.findings.add)
  course.checked.push('numbers of the records of each process: none missing, none twice')
  return inFlight
}

async function checkLastKnown(course: Course, newer: Checkpoint): Promise<void> {
  const { options, reader, findings, checked, notChecked } = course
  if (options.lastKnown === undefined) {
    notChecked.push('rollback: no checkpoint from before was given (--last-known)')
    return
  }
  const older = openLastKnown(options.lastKnown, options.logKeys)
  if (older instanceof NoteError || older.origin !== newer.origin) {
    const reason = older instanceof NoteError ? older.message : `it is of ${older.origin}`
    findings.add({ code: 'last_known_refused', detail: `the last known checkpoint: ${reason}` })
    return
  }
  if (older.size > newer.size) {
    const detail = `the log has ${newer.size} entries and had ${older.size} when it was last seen`
    findings.add({ code: 'truncated', path: 'checkpoint', detail })
    return
  }
  const consistent = await isConsistent(reader, { older, newer }, findings.add)
  if (consistent === true) checked.push(`begins with the last known tree of ${older.size} entries`)
  if (consistent !== false) return
  const detail = `the log does not begin with the ${older.size} entries it had when it was last seen`
  findings.add({ code: 'last_known_differs', path: 'checkpoint', detail })
}

function openLastKnown(note: string, logKeys: readonly VerifierKey[]): Checkpoint | NoteError {
  try {
    return openCheckpoint(note, logKeys).checkpoint
  } catch (error) {
    if (error instanceof NoteError) return error
    throw error
  }
}

async function checkPublished(
  course: Course,
  { size, origin }: Checkpoint,
  { sizes, from }: { readonly sizes: readonly number[] | undefined; readonly from: number },
): Promise<void> {
  const { options, reader, findings, checked, notChecked } = course
  const { logKeys, signal, source, strict } = options
  const versions = 'versions of each file read: none replaced, none deleted'
  if (source.versions === undefined) notChecked.push('versions of the files: this store keeps none')
  else checked.push(versions)
  if (strict === undefined || sizes === undefined) {
    notChecked.push(
      `checkpoints published before: ${sizes ? 'asked for with --strict' : 'not listed'}`,
    )
    return
  }
  const within = sizes.filter((one) => one >= from && one <= size)
  const history = {
    reader,
    sizes: within,
    treeSize: size,
    origin,
    logKeys,
    add: findings.add,
    signal,
  }
  const { unknownSigners } = await checkHistory(history)
  checked.push(`${within.length} checkpoints published before`)
  if (unknownSigners > 0) {
    notChecked.push(`signatures of ${unknownSigners} of them: by none of the given keys`)
  }
}

async function checkAge(course: Course, opened: OpenedLog, walk: Walk): Promise<void> {
  const { options, reader, findings, checked, notChecked } = course
  const { maxAge, policy } = options
  if (maxAge === undefined) {
    notChecked.push('age: asked for with --max-age')
    return
  }
  const finding = await judgeAge({ maxAge, policy, opened, reader, newestMs: walk.newestMs })
  if (finding === undefined) checked.push(`alive within ${maxAge.seconds} s`)
  else findings.add(finding)
}
