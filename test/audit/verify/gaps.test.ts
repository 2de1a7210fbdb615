import { expect, test } from 'bun:test'
import { gapLedger, judgeGaps } from '#core/audit/verify/gaps.ts'
import { holesIn, numberRanges } from '#core/audit/verify/number-ranges.ts'
import { readRecord } from '#core/audit/verify/record-reader.ts'
import { seededRandom } from './seeded-random.ts'
import { record, startMs } from './test-log.ts'

type Fields = Parameters<typeof record>[0]

/** Far behind everything a test writes, so that whatever is settled counts. */
const later: Fields = { replica: 'other', rseq: 0, atMs: startMs + 3_600_000 }

function ledgerOf(fields: readonly Fields[]) {
  const ledger = gapLedger()
  for (const one of fields) {
    const reading = readRecord(record(one))
    if ('problem' in reading) throw new Error(reading.problem)
    ledger.note(reading.record, reading.settlement)
  }
  return ledger
}

function judge(fields: readonly Fields[]) {
  const newestMs = Math.max(...fields.map(({ atMs, rseq }) => atMs ?? startMs + rseq))
  const { findings, inFlight } = judgeGaps(ledgerOf(fields).facts(), newestMs)
  return { gaps: findings.map(({ code, detail }) => `${code}: ${detail}`), inFlight }
}

const written = (...numbers: number[]): Fields[] => numbers.map((rseq) => ({ rseq }))
const heartbeat = (rseq: number, settled: number, more: Partial<Fields> = {}): Fields => ({
  ...{ rseq, type: 'process.heartbeat', details: { settled } },
  ...more,
})
const stopped = (rseq: number, settled: number): Fields => ({
  ...heartbeat(rseq, settled),
  type: 'process.stopped',
})
const voids = (rseq: number, ...ranges: [number, number][]): Fields => ({
  ...{ rseq, type: 'audit.void', details: { ranges } },
})

test('a number below a heartbeat that is nowhere is a gap', () => {
  const { gaps } = judge([...written(0, 1, 2, 4, 5), heartbeat(6, 5), later])
  expect(gaps).toEqual(['records_missing: gateway@a, start 1: 1 record never reached the log: 3'])
})

test('a number that is missing below the last record of a process is a gap at once', () => {
  const { gaps } = judge([...written(0, 1, 5), stopped(6, 5)])
  expect(gaps).toEqual([
    'records_missing: gateway@a, start 1: 3 records never reached the log: 2-4',
  ])
})

test('the opening record that is missing is a gap', () => {
  expect(judge([...written(1), stopped(2, 1)]).gaps).toHaveLength(1)
})

test('numbers that are void are no gap', () => {
  const { gaps, inFlight } = judge([...written(0, 1, 5), voids(6, [2, 2], [3, 4]), stopped(7, 6)])
  expect({ gaps, inFlight }).toEqual({ gaps: [], inFlight: [] })
})

test('a number that is void and stored all the same is neither missing nor twice', () => {
  expect(judge([...written(0, 1, 2), voids(3, [1, 2]), stopped(4, 3)]).gaps).toEqual([])
})

test('records that arrive out of order are all there', () => {
  expect(judge([...written(4, 0), stopped(5, 4), ...written(3, 1, 2)]).gaps).toEqual([])
})

test('what a killed process had in flight is told and no gap', () => {
  const { gaps, inFlight } = judge([
    ...[...written(0, 1), heartbeat(2, 1), ...written(5, 8)],
    ...[{ epoch: 2, rseq: 0 }, later],
  ])
  expect(gaps).toEqual([])
  expect(inFlight).toEqual([
    {
      ...{ replica: 'gateway@a', epoch: 1 },
      ranges: [
        [3, 4],
        [6, 7],
      ],
    },
  ])
})

test('a process that was killed before its first heartbeat leaves no gap', () => {
  expect(judge([...written(0, 3), { epoch: 2, rseq: 0 }, later]).gaps).toEqual([])
})

test('a hole below a heartbeat waits as long as rows may be held back', () => {
  const fields = [...written(0, 2), heartbeat(3, 2)]
  const { gaps, inFlight } = judge([...fields, { ...later, atMs: startMs + 3 + 59_999 }])
  expect(gaps).toEqual([])
  expect(inFlight).toMatchObject([{ ranges: [[1, 1]] }])
  expect(judge([...fields, { ...later, atMs: startMs + 3 + 60_000 }]).gaps).toHaveLength(1)
})

test('an older heartbeat counts while the newest still waits', () => {
  const { gaps } = judge([
    ...[...written(0, 2), heartbeat(3, 2), ...written(5)],
    ...[heartbeat(6, 5, { atMs: startMs + 70_000 })],
  ])
  expect(gaps).toEqual(['records_missing: gateway@a, start 1: 1 record never reached the log: 1'])
})

test('a start that left no record between two that did is a gap', () => {
  const starts = [
    { epoch: 100, previous: undefined },
    { epoch: 160, previous: 100 },
    { epoch: 300, previous: 220 },
  ]
  const opened = starts.map(
    ({ epoch, previous }): Fields => ({
      ...{ epoch, rseq: 0, type: 'process.started' },
      details: previous === undefined ? {} : { previous },
    }),
  )
  expect(judge(opened).gaps).toEqual(['starts_missing: gateway@a: no record of start 220'])
  expect(judge(opened.slice(0, 2)).gaps).toEqual([])
})

test('the first start that a log knows need not be the first there was', () => {
  expect(judge([{ epoch: 7, rseq: 0 }]).gaps).toEqual([])
})

test('a number used twice is named', () => {
  expect(judge([...written(0, 1, 2, 1), stopped(3, 2)]).gaps).toEqual([
    'number_twice: gateway@a, start 1: 1 record under a number used before: 1',
  ])
})

test('each process and each start has numbers of its own', () => {
  const processes = ['gateway@a', 'worker@a'].flatMap((replica) =>
    [1, 2].flatMap((epoch) =>
      [...written(0, 1), stopped(2, 1)].map((fields) => ({ ...fields, replica, epoch })),
    ),
  )
  expect(judge(processes)).toEqual({ gaps: [], inFlight: [] })
})

test('a log read in stretches is judged as one read whole', () => {
  const { seed, below } = seededRandom()
  const all: Fields[] = [...written(...Array.from({ length: 200 }, (_, rseq) => rseq))]
    .filter(({ rseq }) => rseq % 37 !== 36)
    .concat(voids(200, [36, 36], [73, 73]), heartbeat(201, 150), written(199), later)
    .toSorted(() => below(3) - 1)
  const whole = ledgerOf(all)
  const joined = gapLedger()
  for (let from = 0; from < all.length; ) {
    const end = from + 1 + below(40)
    joined.absorb(structuredClone(ledgerOf(all.slice(from, end)).facts()))
    from = end
  }
  const newestMs = startMs + 3_600_000
  const judged = judgeGaps(joined.facts(), newestMs)
  expect({ seed, ...judged }).toEqual({ seed, ...judgeGaps(whole.facts(), newestMs) })
  expect(judged.findings).toHaveLength(2)
})

test('ranges hold what a set of numbers holds', () => {
  const { seed, below } = seededRandom()
  for (let round = 0; round < 50; round++) {
    const ranges = numberRanges()
    const plain = new Set<number>()
    for (let step = 0; step < 60; step++) {
      const from = below(120)
      const to = from + below(4)
      const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at)
      const again = numbers.filter((number) => plain.has(number)).length
      const overlaps = ranges.add(from, to)
      const counted = overlaps.reduce((sum, [first, last]) => sum + last - first + 1, 0)
      expect({ seed, round, step, counted }).toEqual({ seed, round, step, counted: again })
      for (const number of numbers) plain.add(number)
    }
    const listed = ranges
      .list()
      .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at))
    expect({ seed, listed }).toEqual({ seed, listed: [...plain].toSorted((a, b) => a - b) })
    const holes = holesIn([0, 200], [ranges.list()])
    const inHoles = holes.reduce((sum, [from, to]) => sum + to - from + 1, 0)
    expect({ seed, inHoles }).toEqual({ seed, inHoles: 201 - plain.size })
  }
})

test('a million starts of numbers without a hole cost one range', () => {
  const ranges = numberRanges()
  for (let number = 0; number < 1_000_000; number++) ranges.add(number, number)
  expect(ranges.list()).toEqual([[0, 999_999]])
})
