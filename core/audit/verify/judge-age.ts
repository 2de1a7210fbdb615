import { judgeQuorum, type WitnessPolicy } from '../note/policy.ts'
import { tileWidth } from '../tree/tile.ts'
import type { Finding } from './findings.ts'
import type { LogReader } from './log-reader.ts'
import type { OpenedLog } from './open-log.ts'
import { readRecord } from './record-reader.ts'

export type MaxAge = { readonly seconds: number; readonly now: Date }

/**
 * Whether the log is alive: the newest cosignature, or without witnesses the newest record (each
 * process writes one every 30 s), is at most so old. Undefined where it is.
 */
export async function judgeAge(options: {
  readonly maxAge: MaxAge
  readonly policy: WitnessPolicy | undefined
  readonly opened: OpenedLog
  readonly reader: LogReader
  /** Of the records read so far; -Infinity where none was. */
  readonly newestMs: number
}): Promise<Finding | undefined> {
  const { maxAge, policy, opened } = options
  const isWitnessed = policy !== undefined && policy.quorum.kind !== 'none'
  const newestMs = isWitnessed
    ? (judgeQuorum(policy, opened.note).newestSeconds ?? Number.NaN) * 1_000
    : await newestRecordMs(options)
  const sign = isWitnessed ? 'cosignature' : 'record'
  if (!Number.isFinite(newestMs)) {
    return {
      code: 'age_unknown',
      path: 'checkpoint',
      detail: `no ${sign} tells how old the log is`,
    }
  }
  const ageSeconds = Math.floor((maxAge.now.getTime() - newestMs) / 1_000)
  if (ageSeconds <= maxAge.seconds) return undefined
  const limit = `${maxAge.seconds} s are allowed`
  const detail = `the newest ${sign} is ${ageSeconds} s old, ${limit}: the log or its view is frozen`
  return { code: 'frozen', path: 'checkpoint', detail }
}

/** Intake is unordered, but by less than the last bundle. */
async function newestRecordMs(options: {
  readonly opened: OpenedLog
  readonly reader: LogReader
  readonly newestMs: number
}): Promise<number> {
  const { opened, reader, newestMs } = options
  const { size } = opened.checkpoint
  if (Number.isFinite(newestMs) || size === 0) return newestMs
  const index = Math.floor((size - 1) / tileWidth)
  const { value } = await reader.bundle({ index, width: size - index * tileWidth })
  const readings = (value ?? []).map(readRecord)
  const times = readings.flatMap((one) => ('record' in one ? [one.record.at.getTime()] : []))
  return Math.max(Number.NEGATIVE_INFINITY, ...times)
}
