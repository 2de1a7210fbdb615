import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { type AuditRecord, encodeAuditRecord } from './record.ts'

/** A record as it is inserted: its id, and its RFC 8785 bytes as text. */
export type JournalRow = { readonly rec: string; readonly body: string }

/** First and last of numbers that need not be in the log. */
export type NumberRange = readonly [number, number]

/**
 * Numbers the records of one start of one process, from 0 and without a hole, so that a record
 * that never reached the log is missed by its number. `replica` and `epoch` name the start.
 */
export type AuditJournal = {
  readonly replica: string
  readonly epoch: number
  /**
   * Numbers records for `insert`, whose transaction must hold them. The numbers of records that
   * did not come to be stored (it threw, or `stored` does not list their ids) are void: reported
   * by the next heartbeat, never used again. Throws what `insert` throws; `audit.unavailable` when
   * the records are what could not be stored.
   */
  write<Result>(
    records: readonly AuditRecord[],
    insert: (rows: readonly JournalRow[]) => Promise<Result>,
    stored?: (result: Result) => ReadonlySet<string>,
  ): Promise<Result>
  /** The same for a transaction that knows only on its way what it has to record. */
  within<Result>(
    run: (number: (records: readonly AuditRecord[]) => readonly JournalRow[]) => Promise<Result>,
    stored?: (result: Result) => ReadonlySet<string>,
  ): Promise<Result>
  /** Every number up to here is stored or void; -1 before the first. */
  settled(): number
  /** Void numbers since the last call; to be put back when they could not be reported. */
  takeVoid(): readonly NumberRange[]
  putBackVoid(ranges: readonly NumberRange[]): void
}

type Open = { readonly first: number; readonly last: number }

export function auditJournal(start: {
  readonly replica: string
  readonly epoch: number
  /** The next number: 1 behind the opening record. */
  readonly next: number
}): AuditJournal {
  const { replica, epoch } = start
  let next = start.next
  let voids: NumberRange[] = []
  // In order of their numbers, because those are given out as they begin.
  const open = new Set<Open>()

  /** The numbers of one transaction, open until it is known what became of it. */
  function transaction() {
    const given: Open[] = []
    const numbered: (readonly [rec: string, rseq: number])[] = []

    function number(records: readonly AuditRecord[]): readonly JournalRow[] {
      const first = next
      next += records.length
      const range = { first, last: next - 1 }
      open.add(range)
      given.push(range)
      // All of them first: one that cannot be encoded leaves the others' numbers void too.
      records.forEach(({ id }, index) => {
        numbered.push([id, first + index])
      })
      return records.map((record, index) => {
        const body = encodeAuditRecord(record, { replica, epoch, rseq: first + index })
        return { rec: record.id, body }
      })
    }

    function end(isStored: (rec: string) => boolean): void {
      for (const range of given) open.delete(range)
      for (const [rec, rseq] of numbered) if (!isStored(rec)) addNumber(voids, rseq)
    }

    return { number, end }
  }

  async function within<Result>(
    run: (number: (records: readonly AuditRecord[]) => readonly JournalRow[]) => Promise<Result>,
    stored?: (result: Result) => ReadonlySet<string>,
  ): Promise<Result> {
    const { number, end } = transaction()
    try {
      const result = await run(number)
      const kept = stored?.(result)
      end((rec) => kept?.has(rec) ?? true)
      return result
    } catch (error) {
      end(() => false)
      throw unrecorded(error) ?? error
    }
  }

  return {
    replica,
    epoch,
    write: (records, insert, stored) => within((number) => insert(number(records)), stored),
    within,
    settled() {
      const [oldest] = open
      return (oldest?.first ?? next) - 1
    },
    takeVoid() {
      const taken = voids
      voids = []
      return taken
    },
    putBackVoid(ranges) {
      voids.unshift(...ranges)
    },
  }
}

function addNumber(ranges: NumberRange[], number: number): void {
  const last = ranges.at(-1)
  if (last !== undefined && last[1] === number - 1) ranges[ranges.length - 1] = [last[0], number]
  else ranges.push([number, number])
}

const withCode = z.object({ code: z.string(), message: z.string().optional() })

/**
 * States in which the records, or the disk under them, are what failed: raised by
 * `postern_recorded` when rows vanished, disk full, the log frozen or the server read-only, a rule
 * in the way of the insert, and whatever a trigger raises that names no state.
 */
const unrecordedStates = new Set(['PA001', '53100', '25006', '0A000', 'P0001'])
/** Rights or the table itself are gone. The words are in the server's language, the name is not. */
const absentStates = new Set(['42501', '42P01'])

function unrecorded(error: unknown): PosternError | undefined {
  const parsed = withCode.safeParse(error)
  if (!parsed.success) return undefined
  const { code: reason, message = '' } = parsed.data
  const isAbsent = absentStates.has(reason) && message.includes('postern_audit_intake')
  if (!isAbsent && !unrecordedStates.has(reason)) return undefined
  return new PosternError('audit.unavailable', { reason, retryAfterSeconds: 1, cause: error })
}
