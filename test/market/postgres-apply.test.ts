import { expect, test } from 'bun:test'
import type { MarketEvents } from '#core/market/postgres-market-apply.ts'
import { readMarkets } from '#core/market/postgres-market-store.ts'
import { fileWorld } from '../order/desk/file-world.ts'
import {
  barRow,
  index,
  indexDay,
  keepingDesk,
  minuteMs,
  nowMs,
  openMarketWorld,
  openMs,
  own,
  quoteRow,
} from './ingest-world.ts'

const world = await fileWorld(openMarketWorld)

/** All that applying has left, but for when and by whom. */
async function stateOf() {
  const instruments = await world.sql`
    select symbol, statistics, luld, applied_to from postern_instrument order by symbol`
  const markets = await world.sql`select clock, breaker from postern_market order by clock`
  const signals = await world.sql`select * from postern_signal order by symbol, strategy`
  const records = await world.records('market.changed')
  return {
    ...{ instruments: [...instruments], markets: [...markets], signals: [...signals] },
    changes: records.map(({ reason, details, target }) => ({ reason, details, target })),
  }
}

test('of a symbol that is not known there is nothing to apply', async () => {
  expect(await world.apply(['NONE'])).toEqual({ bars: 0, quotes: 0, signals: 0 })
})

test('what is applied once is not applied again', async () => {
  await world.ingest(own(1), own(2), quoteRow())
  const desk = keepingDesk()
  expect(await world.apply(['AAPL'], { desk })).toEqual({ bars: 2, quotes: 1, signals: 3 })
  const before = await stateOf()
  expect(await world.apply(['AAPL'], { desk })).toMatchObject({ bars: 0, quotes: 0 })
  expect(await stateOf()).toEqual(before)
  expect(desk.bars('replay')).toEqual([openMs + minuteMs, openMs + 2 * minuteMs])
})

test('a desk that fails is told again, and nothing is applied twice for it', async () => {
  await world.ingest(indexDay, index(1, '99'), index(2, '93'))
  const desk = keepingDesk()
  desk.failures.push(new Error('the desk is away'))
  const error = await world.apply(['SPX'], { desk }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ message: 'the desk is away' })
  await world.apply(['SPX'], { desk })
  expect(new Set(desk.bars('replay')).size).toBe(3)
  const changes = await world.records('market.changed')
  expect(changes.map(({ reason }) => reason)).toEqual(['OPEN', 'HALT'])
})

test('the desk hears once of the quotes of a job, unless a bar came after them', async () => {
  await world.ingest(own(1), quoteRow({ time: openMs + 90_000 }))
  const desk = keepingDesk()
  await world.apply(['AAPL'], { desk })
  await world.apply(['AAPL'], { desk })
  expect(desk.quoted).toEqual([{ symbols: ['AAPL'], timeMs: openMs + 90_000 }])
  await world.ingest(own(2))
  await world.apply(['AAPL'], { desk })
  expect(desk.quoted).toHaveLength(1)
})

test('a run that dies while it marks by quotes has them marked by the next one', async () => {
  await world.ingest(own(1), quoteRow({ time: openMs + 90_000 }))
  const desk = keepingDesk()
  const onQuotes = () => Promise.reject(new Error('dead'))
  const dying = world.apply(['AAPL'], { desk: { onMarket: desk.onMarket, onQuotes } })
  await expect(dying).rejects.toThrow('dead')
  await world.apply(['AAPL'], { desk })
  expect(desk.quoted).toEqual([{ symbols: ['AAPL'], timeMs: openMs + 90_000 }])
})

test('a job behind another that has applied everything looks once and takes no symbol', async () => {
  await world.ingest(own(1), quoteRow({ time: openMs + 90_000 }))
  await world.apply(['AAPL'])
  await world.sql`delete from postern_lease`
  expect(await world.apply(['AAPL'])).toEqual({ bars: 0, quotes: 0, signals: 0 })
  expect(await world.sql`select from postern_lease`).toHaveLength(0)
})

test('a bar of one symbol hides no quote of another', async () => {
  await world.ingest(own(2), quoteRow({ symbol: 'MSFT', time: openMs + 90_000 }))
  const desk = keepingDesk()
  await world.apply(['AAPL', 'MSFT'], { desk })
  expect(desk.quoted).toEqual([{ symbols: ['MSFT'], timeMs: openMs + 90_000 }])
})

test('the desk is told after the commit of what it is told of', async () => {
  await world.ingest(indexDay, index(1, '93'))
  const seen: unknown[] = []
  const desk = {
    async onMarket() {
      const { replay } = await readMarkets(world.worker)
      seen.push(replay.breaker?.status)
    },
  }
  await world.apply(['SPX'], { desk })
  expect(seen).toEqual(['HALT'])
})

test('of a long upload the desk is told of each commit before the next one', async () => {
  await world.ingest(...Array.from({ length: 2_500 }, (_, n) => own(n - 5_000)))
  const seen: (readonly [told: number | undefined, applied: number])[] = []
  const desk = {
    async onMarket({ bars }: MarketEvents) {
      const [row] = await world.sql<{ at: Date }[]>`select applied_to as at from postern_instrument`
      seen.push([bars.at(-1)?.time, row?.at.getTime() ?? 0])
    },
  }
  await world.apply(['AAPL'], { desk })
  expect(seen).toHaveLength(3)
  for (const [told, applied] of seen) expect(told).toBe(applied)
})

test('bars that end together are applied together, at the edge of a commit too', async () => {
  const minutes = Array.from({ length: 1_010 }, (_, n) => own(n - 5_000))
  const fives = minutes.slice(991).map((row) => ({ ...row, intervalMs: 5 * minuteMs }))
  await world.ingest(...minutes, ...fives)
  const desk = keepingDesk()
  expect(await world.apply(['AAPL'], { desk })).toMatchObject({ bars: 1_029 })
  const ends = desk.told.flatMap(({ bars }) => bars.map((bar) => [bar.time, bar.intervalMs]))
  expect(ends).toHaveLength(1_029)
  expect(ends.at(-2)?.[0]).toBe(ends.at(-1)?.[0] ?? 0)
})

test('two workers at once apply every bar once', async () => {
  const rows = Array.from({ length: 2_500 }, (_, n) => own(n - 5_000))
  await world.ingest(...rows)
  const desk = keepingDesk()
  const runs = await Promise.all([1, 2].map(() => world.apply(['AAPL'], { desk })))
  expect(runs.reduce((sum, { bars }) => sum + bars, 0)).toBe(2_500)
  expect(desk.bars('replay')).toEqual(rows.map(({ time }) => time))
})

test('a worker that lost its place gives the symbol up', async () => {
  await world.ingest(own(1), own(2))
  const desk = {
    onMarket: async () => {
      await world.sql`update postern_lease
        set holder = gen_random_uuid(), until = now() + interval '1 hour'`
    },
  }
  const error = await world.apply(['AAPL'], { desk }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'database.unavailable' })
})

test('a run cut anywhere ends in the state of one that was not', async () => {
  const fall = Array.from({ length: 200 }, (_, n) => index(n + 1, String(100 - n / 10)))
  const rows = [indexDay, ...fall, ...Array.from({ length: 60 }, (_, n) => own(n + 1, `1${n % 7}`))]
  await world.ingest(...rows)
  await world.apply(['AAPL', 'SPX'])
  const whole = await stateOf()
  expect(whole.changes.map(({ reason }) => reason)).toEqual([
    'OPEN',
    'HALT',
    'OPEN',
    'HALT',
    'OPEN',
  ])
  for (const cut of [1, 71, 72, 100, 150, 230]) {
    await world.clear()
    await world.ingest(...rows.slice(0, cut))
    await world.apply(['AAPL', 'SPX'])
    await world.ingest(...rows.slice(cut))
    await world.apply(['AAPL', 'SPX'])
    expect(await stateOf()).toEqual(whole)
  }
})

test('a run that dies between its commits is gone on with where it was', async () => {
  const rows = Array.from({ length: 2_500 }, (_, n) => index(n - 2_200, String(100 - (n % 30))))
  await world.ingest(indexDay, ...rows)
  await world.apply(['SPX'])
  const whole = await stateOf()
  expect(whole.changes.length).toBeGreaterThan(1)
  for (const calls of [0, 1, 2]) {
    await world.clear()
    await world.ingest(indexDay, ...rows)
    const desk = keepingDesk()
    const dying = {
      onMarket: (events: MarketEvents) =>
        desk.told.length < calls ? desk.onMarket(events) : Promise.reject(new Error('killed')),
    }
    const error = await world.apply(['SPX'], { desk: dying }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: 'killed' })
    await world.apply(['SPX'], { desk })
    expect(await stateOf()).toEqual(whole)
    // One of the minutes ends with the day.
    expect(new Set(desk.bars('replay')).size).toBe(2_500)
  }
})

test('a halt goes on after a restart, and what a breaker did is on record', async () => {
  await world.ingest(indexDay, index(0, '99'), index(1, '93'))
  await world.apply(['SPX'])
  const halted = await readMarkets(world.worker)
  expect(halted.replay.breaker).toMatchObject({ status: 'HALT', haltLevel: 1 })
  await world.ingest(index(10, '80'))
  await world.apply(['SPX'])
  const still = await readMarkets(world.worker)
  expect(still.replay.breaker).toMatchObject({ status: 'HALT', indexCents: 8_000 })
  await world.ingest(index(16, '94'))
  await world.apply(['SPX'])
  const open = await readMarkets(world.worker)
  expect(open.replay.breaker).toMatchObject({ status: 'OPEN', usedL1: true })
  expect(await world.records('market.changed')).toMatchObject([
    { target: 'market/replay', reason: 'OPEN' },
    {
      target: 'market/replay',
      reason: 'HALT',
      details: { from: 'OPEN', breaker: { haltLevel: 1 } },
    },
    { target: 'market/replay', reason: 'OPEN', details: { from: 'HALT' } },
  ])
})

test('the live breaker sees live bars only', async () => {
  await world.ingest(indexDay, index(1, '93'))
  await world.apply(['SPX'])
  expect((await readMarkets(world.worker)).live.breaker).toBeUndefined()
  await world.ingest(barRow({ symbol: 'SPX', close: '92' }))
  await world.apply(['SPX'])
  const { live } = await readMarkets(world.worker)
  expect(live.breaker).toMatchObject({
    day: '2024-03-01',
    indexCents: 9_200,
    priorCloseCents: 10_000,
  })
})

test('a worker that comes late does what one in time would have done', async () => {
  await world.ingest(
    indexDay,
    barRow({ symbol: 'SPX', close: '93' }),
    barRow({ close: '20' }),
    quoteRow(),
  )
  const symbols = ['SPX', 'AAPL']
  const desk = keepingDesk()
  await world.apply(symbols, { desk, now: () => new Date(nowMs + 86_400_000) })
  expect((await readMarkets(world.worker)).live.breaker).toMatchObject({ status: 'HALT' })
  const live = desk.told.filter(({ clock }) => clock === 'live')
  expect(live.map(({ symbol, bars, quote }) => [symbol, bars.length, quote?.time])).toEqual([
    ['SPX', 1, undefined],
    ['AAPL', 1, nowMs],
  ])
})

test('another symbol does not move the breaker, the index comes before all others', async () => {
  await world.ingest(indexDay, index(1, '99'), own(1, '1'))
  const desk = keepingDesk()
  await world.apply(['AAPL', 'SPX'], { desk })
  expect(desk.told.map(({ symbol }) => symbol)).toEqual(['SPX', 'AAPL'])
  expect((await readMarkets(world.worker)).replay.breaker?.indexCents).toBe(9_900)
})

test('a quote comes to the desk once, on the live clock when it is of now', async () => {
  const desk = keepingDesk()
  await world.ingest(quoteRow({ time: nowMs - 3_600_000 }))
  await world.apply(['AAPL'], { desk })
  await world.ingest(quoteRow({ time: nowMs }))
  await world.apply(['AAPL'], { desk })
  await world.apply(['AAPL'], { desk })
  expect(desk.told.map(({ clock, quote }) => [clock, quote?.time])).toEqual([
    ['replay', nowMs - 3_600_000],
    ['replay', nowMs],
    ['live', nowMs],
  ])
})
