import { expect, test } from 'bun:test'
import { decideSlots, type SlotPolicy } from '#core/schedule/decide-slots.ts'

const now = new Date('2026-03-01T12:00:00Z')
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const missed = [5, 4, 3, 2, 0].map(minutesAgo)

function decide(changes: Partial<SlotPolicy>, due: readonly Date[], isRunning = false) {
  const policy: SlotPolicy = { misfire: 'run_once', backfillMax: 1, overlap: 'skip', ...changes }
  const decision = decideSlots(policy, due, { now, isRunning })
  return (
    decision && {
      outcomes: decision.slots.map(({ outcome }) => outcome.replace('skipped_', '')).join(' '),
      causes: decision.slots.map(({ cause }) => cause).join(' '),
      settled: (now.getTime() - decision.settledUntil.getTime()) / 60_000,
    }
  )
}

test('nothing due, nothing decided', () => {
  expect(decide({}, [])).toBeUndefined()
})

test.each([
  ['skip', 1, 'misfire misfire misfire misfire submitted'],
  ['run_once', 1, 'misfire misfire misfire misfire submitted'],
  ['backfill', 3, 'misfire misfire submitted submitted submitted'],
  ['backfill', 100, 'submitted submitted submitted submitted submitted'],
] as const)('of slots that were missed %s (%i) takes its own', (misfire, backfillMax, outcomes) => {
  const decided = decide({ misfire, backfillMax, overlap: 'allow' }, missed)
  expect(decided).toMatchObject({ outcomes, settled: 0 })
})

test.each([
  ['skip', 'misfire misfire'],
  ['run_once', 'misfire submitted'],
] as const)('when all are late, %s makes %s of them', (misfire, outcomes) => {
  expect(decide({ misfire }, [9, 4].map(minutesAgo))).toMatchObject({ outcomes, settled: 4 })
})

test('what is a minute late is on time, and a moment more is late', () => {
  expect(decide({ misfire: 'skip' }, [minutesAgo(1)])?.outcomes).toBe('submitted')
  const late = [new Date(minutesAgo(1).getTime() - 1)]
  expect(decide({ misfire: 'skip' }, late)?.outcomes).toBe('misfire')
})

test('only what was late is called a backfill', () => {
  const decided = decide({ misfire: 'backfill', backfillMax: 9, overlap: 'allow' }, missed)
  expect(decided?.causes).toBe('backfill backfill backfill backfill cron')
})

test('while an earlier job is unfinished: skip leaves out, queue waits, allow runs', () => {
  expect(decide({ overlap: 'skip' }, missed.slice(-1), true)?.outcomes).toBe('overlap')
  expect(decide({ overlap: 'queue' }, missed.slice(-1), true)).toBeUndefined()
  expect(decide({ overlap: 'allow' }, missed.slice(-1), true)?.outcomes).toBe('submitted')
})

test('queue makes up for one slot at a time, and the rest stay due', () => {
  const policy = { misfire: 'backfill', backfillMax: 3, overlap: 'queue' } as const
  expect(decide(policy, missed)).toEqual({
    outcomes: 'misfire misfire submitted',
    causes: 'backfill backfill backfill',
    settled: 3,
  })
})

test('two slots within their minute do not overlap where they must not', () => {
  const decided = decide({ misfire: 'skip', overlap: 'skip' }, [1, 0].map(minutesAgo))
  expect(decided).toMatchObject({ outcomes: 'submitted overlap', settled: 0 })
})
