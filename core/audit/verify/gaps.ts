import type { Finding } from './findings.ts'
import { countNumbers, holesIn, type NumberRange, numberRanges } from './number-ranges.ts'
import type { LoggedRecord, Settlement } from './record-reader.ts'

/**
 * Records that never reached the log. No tree can show them: a process numbers its records, says
 * from time to time up to which number all are committed or void, and what is then in neither place
 * is missing.
 */

/**
 * Intake is unordered. A hole below a heartbeat counts once the log has gone on for as long as a
 * stopped sequencer may hold rows back; below a process's last record it counts at once.
 */
const settleMs = 60_000

/** Ranges of numbers used twice that are named for one start; further ones are counted. */
const twiceKeptMax = 10

/** What a stretch of the log says about one start of one process. Plain data. */
export type EpochFacts = {
  readonly replica: string
  readonly epoch: number
  readonly present: readonly NumberRange[]
  readonly voided: readonly NumberRange[]
  readonly settled: readonly SettledMark[]
  readonly isStopped: boolean
  /** The start before it, as its opening record says. */
  readonly previous: number | undefined
  readonly twice: readonly NumberRange[]
  readonly twiceCount: number
}

type SettledMark = { readonly number: number; readonly atMs: number }

export type GapLedger = {
  note(record: LoggedRecord, settlement: Settlement): void
  /** Adds what a later stretch of the log says. */
  absorb(facts: readonly EpochFacts[]): void
  facts(): EpochFacts[]
}

export type GapJudgement = {
  readonly findings: readonly Finding[]
  /** Numbers without a record above what is settled: in flight when the process or the log ended. */
  readonly inFlight: readonly {
    readonly replica: string
    readonly epoch: number
    readonly ranges: readonly NumberRange[]
  }[]
}

/** Memory grows with process starts and with holes, not with records. */
export function gapLedger(): GapLedger {
  const epochs = new Map<string, Map<number, EpochBook>>()

  function bookOf(replica: string, epoch: number): EpochBook {
    const books = epochs.get(replica) ?? new Map<number, EpochBook>()
    const book = books.get(epoch) ?? epochBook()
    epochs.set(replica, books)
    books.set(epoch, book)
    return book
  }

  return {
    note(record, settlement) {
      const book = bookOf(record.replica, record.epoch)
      book.addPresent(record.rseq, record.rseq)
      if (settlement.voided !== undefined) book.addVoided(settlement.voided)
      if (settlement.settled !== undefined) {
        book.addSettled([{ number: settlement.settled, atMs: record.at.getTime() }])
      }
      if (settlement.previous !== undefined) book.follow(settlement.previous)
      if (record.type === 'process.stopped') book.stop()
    },
    absorb(facts) {
      for (const fact of facts) {
        const book = bookOf(fact.replica, fact.epoch)
        book.addTwice(fact.twice, fact.twiceCount)
        for (const [from, to] of fact.present) book.addPresent(from, to)
        book.addVoided(fact.voided)
        book.addSettled(fact.settled)
        if (fact.isStopped) book.stop()
        if (fact.previous !== undefined) book.follow(fact.previous)
      }
    },
    facts: () =>
      [...epochs].flatMap(([replica, books]) =>
        [...books].map(([epoch, book]) => ({ replica, epoch, ...book.facts() })),
      ),
  }
}

type EpochBook = ReturnType<typeof epochBook>

function epochBook() {
  const present = numberRanges()
  const voided = numberRanges()
  let settled: SettledMark[] = []
  const twice: NumberRange[] = []
  let twiceCount = 0
  let isStopped = false
  let previous: number | undefined

  function addTwice(ranges: readonly NumberRange[], count: number): void {
    twiceCount += count
    twice.push(...ranges.slice(0, twiceKeptMax - twice.length))
  }

  function addPresent(from: number, to: number): void {
    const overlaps = present.add(from, to)
    if (overlaps.length > 0) addTwice(overlaps, countNumbers(overlaps))
  }

  return {
    addTwice,
    addPresent,
    addVoided(ranges: readonly NumberRange[]) {
      for (const [from, to] of ranges) voided.add(from, to)
    },
    addSettled(marks: readonly SettledMark[]) {
      if (marks.length === 0) return
      settled = pruneMarks([...settled, ...marks])
    },
    stop() {
      isStopped = true
    },
    follow(start: number) {
      previous = start
    },
    facts: () => ({
      present: present.list(),
      voided: voided.list(),
      settled,
      isStopped,
      previous,
      twice,
      twiceCount,
    }),
  }
}

/** Of the marks old enough to count whatever follows, only the highest says anything. */
function pruneMarks(marks: readonly SettledMark[]): SettledMark[] {
  const newestMs = Math.max(...marks.map(({ atMs }) => atMs))
  const isOld = ({ atMs }: SettledMark) => atMs <= newestMs - settleMs
  const [highest] = marks.filter(isOld).toSorted((a, b) => b.number - a.number)
  const recent = marks.filter((mark) => !isOld(mark))
  return highest === undefined ? recent : [highest, ...recent]
}

/** `newestMs`: the latest time that any record of the log bears. */
export function judgeGaps(facts: readonly EpochFacts[], newestMs: number): GapJudgement {
  const judged = facts.map((fact) => judgeEpoch(fact, newestMs))
  return {
    findings: [...judged.flatMap(({ findings }) => findings), ...missingStarts(facts)],
    inFlight: judged.flatMap(({ inFlight, fact: { replica, epoch } }) =>
      inFlight.length === 0 ? [] : [{ replica, epoch, ranges: inFlight }],
    ),
  }
}

function judgeEpoch(fact: EpochFacts, newestMs: number) {
  const { replica, epoch, present, voided, twice, twiceCount } = fact
  const findings: Finding[] = []
  const settled = settledNumber(fact, newestMs)
  const missing = holesIn([0, settled], [present, voided])
  if (missing.length > 0) {
    const count = countNumbers(missing)
    const detail = `${replica}, start ${epoch}: ${records(count)} never reached the log: ${list(missing)}`
    findings.push({ code: 'records_missing', detail })
  }
  if (twiceCount > 0) {
    const detail = `${replica}, start ${epoch}: ${records(twiceCount)} under a number used before: ${list(twice)}`
    findings.push({ code: 'number_twice', detail })
  }
  const highest = present.at(-1)?.[1] ?? -1
  return { fact, findings, inFlight: holesIn([settled + 1, highest], [present, voided]) }
}

/** The number up to which nothing may be missing; -1 where nothing is settled yet. */
function settledNumber({ settled, isStopped }: EpochFacts, newestMs: number): number {
  const marks = settled.filter(({ atMs }) => isStopped || atMs <= newestMs - settleMs)
  return marks.reduce((highest, { number }) => Math.max(highest, number), -1)
}

/** A start names the one before it: one that is named and left no record was suppressed whole. */
function missingStarts(facts: readonly EpochFacts[]): Finding[] {
  const starts = Map.groupBy(facts, ({ replica }) => replica)
  return [...starts].flatMap(([replica, epochs]) => {
    const known = new Set(epochs.map(({ epoch }) => epoch))
    const missing = epochs
      .flatMap(({ previous }) => (previous === undefined || known.has(previous) ? [] : [previous]))
      .toSorted((a, b) => a - b)
    if (missing.length === 0) return []
    const ranges = missing.map((start): NumberRange => [start, start])
    return [{ code: 'starts_missing', detail: `${replica}: no record of start ${list(ranges)}` }]
  })
}

/** Ranges that are written out; a person reads no more. */
const rangesListedMax = 20

function list(ranges: readonly NumberRange[]): string {
  const listed = ranges
    .slice(0, rangesListedMax)
    .map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
  const more = ranges.length - listed.length
  return more > 0 ? `${listed.join(', ')} and ${more} more ranges` : listed.join(', ')
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${count} records`
}
