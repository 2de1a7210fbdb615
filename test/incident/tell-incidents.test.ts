import { expect, test } from 'bun:test'
import type { IncidentStore, ToldEpisode } from '#core/incident/postgres-incidents.ts'
import { incidentTeller } from '#core/incident/tell-incidents.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'

/** A store that refuses until it is mended, and remembers what it was told. */
function scriptedStore() {
  const told: ToldEpisode[] = []
  const closed: string[] = []
  let isAway = true
  const store: IncidentStore = {
    async tell(episode) {
      if (isAway) throw new Error('away')
      told.push(episode)
      return true
    },
    async close(of) {
      closed.push(of)
      return 1
    },
    closeUnseen: async () => undefined,
    open: async () => [],
    live: async () => undefined,
    lastSign: async () => ({ age: 0, isStopped: true }),
    hasLivedThrough: async () => true,
  }
  return {
    ...{ store, told, closed },
    mend: () => {
      isAway = false
    },
  }
}

const ended = (startedMs: number) => ({
  ...{ startedMs, failingMs: startedMs + 6_000, goodMs: startedMs + 7_000 },
  ...{ reason: 'away', isOpen: true },
})

test('a hundred wait for the database, each with its age; of one more the oldest is lost', async () => {
  const { store, told, closed, mend } = scriptedStore()
  const lost: string[] = []
  const log = { ...silentLog(), error: (event: string) => void lost.push(event) }
  const teller = incidentTeller({ store, metrics: createMetrics(), log })
  for (let at = 0; at < 101; at += 1) teller.keep('queue', ended(at * 20_000))
  const now = () => 3_000_000
  await expect(teller.tell(new Map(), now)).rejects.toThrow('away')
  expect(lost).toEqual(['incident.forgotten'])
  mend()
  await teller.tell(new Map(), now)
  expect(told).toHaveLength(100)
  expect(closed).toHaveLength(100)
  expect(told[0]).toEqual({
    ...{ class: 'queue', reason: 'away' },
    ...{ startedAge: 2_980, failingAge: 2_974, goodAge: 2_973 },
  })
  await teller.tell(new Map(), now)
  expect(told).toHaveLength(100)
})
