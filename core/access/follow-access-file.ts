import type { AuditLog } from '../audit/audit-log.ts'
import { type AuditType, systemRecord } from '../audit/record.ts'
import { ConfigError } from '../config.ts'
import { PosternError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { type AccessFileWatch, watchAccessFile } from './watch-access-file.ts'

type FollowOptions = {
  readonly path: string
  /** The content already in force. */
  readonly text: string
  /**
   * Puts a version in force between `record`, which it calls once the version is known to be sound,
   * and its return. Throws what `record` throws: then the rules in force are the old ones.
   */
  readonly apply: (text: string, record: () => Promise<void>) => Promise<void>
  /** Told of each content that lies there, in force or not; empty: it cannot be read. */
  readonly onSeen: (version: string) => void
  readonly audit: AuditLog
  readonly log: Log
  readonly metrics: Metrics
  readonly now: () => Date
}

export function fileVersion(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex')
}

/**
 * Applies new versions of the access file. A bad one changes nothing but a log line, a metric and
 * an audit record; a sound one that cannot be recorded waits until it can.
 */
export function followAccessFile(options: FollowOptions): AccessFileWatch {
  const { path, text, apply, onSeen, log } = options
  const record = fileRecords(options)
  const refusals = fileRefusals(options, record)
  let waitingVersion: string | undefined

  function wait(version: string, error: unknown): void {
    if (waitingVersion !== version) log.error('access.file_unrecorded', { path, version, error })
    waitingVersion = version
  }

  /** False for what may pass, a secret store or a log that is away: then the same text is tried again. */
  async function onText(changed: string): Promise<boolean> {
    const version = fileVersion(changed)
    onSeen(version)
    try {
      await apply(changed, () => record('access.file_changed', 'ok', version))
    } catch (error) {
      if (error instanceof PosternError && error.code === 'audit.unavailable') {
        wait(version, error)
        return false
      }
      const isRecorded = await refusals.refuse(error, version)
      return isRecorded && error instanceof ConfigError
    }
    refusals.forget()
    waitingVersion = undefined
    log.info('access.file_changed', { path, version })
    return true
  }

  return watchAccessFile({
    path,
    text,
    onText,
    async onUnreadable(error) {
      onSeen('')
      await refusals.refuse(error, undefined)
    },
  })
}

type RecordFile = (
  type: AuditType,
  outcome: 'ok' | 'refused',
  version: string | undefined,
) => Promise<void>

function fileRecords({ audit, now }: FollowOptions): RecordFile {
  return async (type, outcome, version) => {
    const id = Bun.randomUUIDv7()
    const details = version === undefined ? {} : { sha256: version }
    await audit.append(
      systemRecord({ id, type, at: now(), target: 'access-file', outcome, details }),
    )
  }
}

/** Tells of each bad version once, and owes its record until the log takes it. */
function fileRefusals({ path, log, metrics }: FollowOptions, record: RecordFile) {
  let refusedVersion: string | undefined
  let isOwed = false

  function tell(error: unknown, version: string | undefined): void {
    metrics.accessFileRefused.inc()
    const problems = error instanceof ConfigError ? error.problems : undefined
    log.error('access.file_refused', { path, version, problems, error })
  }

  /** False when the refusal could not be recorded. */
  async function refuse(error: unknown, version: string | undefined): Promise<boolean> {
    const isKnown = version !== undefined && version === refusedVersion
    if (isKnown && !isOwed) return true
    if (!isKnown) tell(error, version)
    refusedVersion = version
    isOwed = true
    try {
      await record('access.file_refused', 'refused', version)
      isOwed = false
    } catch (cause) {
      if (!isKnown) log.error('access.file_unrecorded', { path, version, error: cause })
    }
    return !isOwed
  }

  return {
    refuse,
    forget() {
      refusedVersion = undefined
    },
  }
}
