import { expect, test } from 'bun:test'
import { mend, mendings } from '#core/schedule/mirror-schedules.ts'
import type { Ticker, TickQueue } from '#core/schedule/tick-queue.ts'

const now = new Date('2026-03-01T12:00:00Z')
const noon = { cron: '0 12 * * *', timeZone: 'UTC' }
const berlin = { cron: '0 12 * * *', timeZone: 'Europe/Berlin' }
const ticker = (changes: Partial<Ticker> = {}): Ticker => ({
  ...{ name: 'a', ...noon, nextAt: new Date('2026-03-02T12:00:00Z') },
  ...changes,
})

const wanted = new Map([['a', noon]])
const nothing = new Map<string, never>()

test.each([
  ['is as it should be', wanted, [ticker()], wanted, []],
  ['has lost one', wanted, [], wanted, [['missing', true]]],
  ['lacks one that was just made', wanted, [], nothing, [['missing', false]]],
  ['has another zone', wanted, [ticker(berlin)], wanted, [['changed', true]]],
  [
    'has the zone of before',
    wanted,
    [ticker(berlin)],
    new Map([['a', berlin]]),
    [['changed', false]],
  ],
  ['has no next tick', wanted, [ticker({ nextAt: undefined })], wanted, [['stuck', true]]],
  ['has one of nobody', nothing, [ticker()], nothing, [['stranger', true]]],
  ['has one that was just removed', nothing, [ticker()], wanted, [['stranger', false]]],
] as const)('an engine that %s', (_name, wants, held, before, expected) => {
  const found = mendings(wants, held, { before, now })
  expect(found.map(({ what, isDrift }) => [what, isDrift])).toEqual(expected.map((row) => [...row]))
})

test('a tick half a minute late is on its way, and a moment more is stuck', () => {
  const late = (ms: number) => [ticker({ nextAt: new Date(now.getTime() - ms) })]
  expect(mendings(wanted, late(30_000), { before: wanted, now })).toEqual([])
  expect(mendings(wanted, late(30_001), { before: wanted, now })).toMatchObject([{ what: 'stuck' }])
})

test('one that cannot be mended keeps no other from it, and is told', async () => {
  const put: string[] = []
  const ticks: TickQueue = {
    list: async () => [],
    put: async (name) => {
      if (name === 'a') throw new Error('refused')
      put.push(name)
    },
    remove: async () => undefined,
    close: async () => undefined,
  }
  const both = new Map([...wanted, ['b', noon] as const])
  const found = mendings(both, [], { before: nothing, now })
  await expect(mend(ticks, found)).rejects.toThrow('refused')
  expect(put).toEqual(['b'])
})
