import { describe, expect, test } from 'bun:test'
import { nanosPerCent } from '#core/market/bar.ts'
import {
  advanceBreaker,
  type BreakerState,
  closeDay,
  mwcbRules,
  unknownBreaker,
} from '#core/market/breaker.ts'
import {
  advanceDrawdown,
  type DrawdownRules,
  drawdownRules,
  startDrawdown,
} from '#core/market/drawdown-breaker.ts'
import { nextSession, type Session, sessionOfDay } from '#core/market/session.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { type IndexBar, watchBreaker } from '#core/replay/breaker-watch.ts'
import { watchLosses } from '#core/replay/loss-watch.ts'

const seeds = Array.from({ length: 20 }, (_, seed) => seed)
const minuteMs = 60_000

function sessions(count: number): Session[] {
  const first = sessionOfDay('2024-03-04')
  if (first === undefined) throw new Error('a Monday')
  const days = [first]
  while (days.length < count) {
    const next = nextSession(days.at(-1)?.closeMs ?? 0)
    if (next !== undefined) days.push(next)
  }
  return days
}

function byTicks(
  state: BreakerState,
  { startMs, endMs, open, low, close }: IndexBar,
): BreakerState {
  const ticks = [
    { timeMs: startMs, indexNanos: open },
    { timeMs: startMs + minuteMs / 2, indexNanos: low },
    { timeMs: endMs, indexNanos: close },
  ]
  return ticks.reduce((before, tick) => advanceBreaker(before, tick, mwcbRules), state)
}

/** Minutes of a market that falls through levels now and then; prices in cents. */
function* wildMinutes(seed: number, session: Session, start: number) {
  const random = seededRandom(seed)
  let close = start
  for (let endMs = session.openMs + minuteMs; endMs <= session.closeMs; endMs += minuteMs) {
    const open = close
    close = Math.max(100, Math.round(open * (1 + 0.03 * (random() - 0.502))))
    const low = Math.min(open, close) - Math.round(random() * 60)
    const nanos = {
      open: open * nanosPerCent,
      low: low * nanosPerCent,
      close: close * nanosPerCent,
    }
    yield { bar: { startMs: endMs - minuteMs, endMs, ...nanos }, isAsked: random() < 0.05, close }
  }
}

type Both = { watch: ReturnType<typeof watchBreaker>; exact: BreakerState; price: number }
const neverOpen = { day: '', openMs: 0, closeMs: 0, isEarlyClose: false }

function openDay(both: Both, session: Session): void {
  const close = { day: both.exact.day, closeNanos: both.price * nanosPerCent }
  both.exact = closeDay(both.exact, close, mwcbRules)
  both.watch.openSession(session)
}

function takeMinute(
  both: Both,
  { bar, close }: { readonly bar: IndexBar; readonly close: number },
): void {
  both.exact = byTicks(both.exact, bar)
  both.price = close
  if (both.watch.isQuiet(bar.low)) both.watch.notePrice(bar.endMs, bar.close)
  else both.watch.take(bar, () => undefined)
}

describe('the breaker over bars says what it says tick by tick', () => {
  const statuses = new Set<string>()
  test.each(seeds)('seed %i', (seed) => {
    const days = sessions(4)
    const [session = neverOpen] = days
    const both: Both = {
      watch: watchBreaker(mwcbRules, { session, priorClose: 100e9 }),
      exact: closeDay(
        unknownBreaker(session.day),
        { day: '2024-03-01', closeNanos: 100e9 },
        mwcbRules,
      ),
      price: 10_000,
    }
    for (const [number, day] of days.entries()) {
      if (number > 0) openDay(both, day)
      for (const minute of wildMinutes(seed * 10 + number, day, both.price)) {
        takeMinute(both, minute)
        statuses.add(both.exact.status)
        if (minute.isAsked) expect(both.watch.state()).toEqual(both.exact)
      }
      expect(both.watch.state()).toEqual(both.exact)
    }
  })

  test('the seeds above have met halts of every level', () => {
    expect([...statuses].toSorted()).toEqual(['CLOSED_L3', 'HALT', 'OPEN'])
  })

  test('a level one cent below the low of a bar is not met, and touching it is', () => {
    const [first] = sessions(1)
    if (first === undefined) throw new Error('a session')
    const bar = { startMs: first.openMs, endMs: first.openMs + minuteMs, open: 95e9, close: 95e9 }
    for (const [low, expected] of [
      [93.01e9, undefined],
      [93e9, 93e9],
    ] as const) {
      const watch = watchBreaker(mwcbRules, { session: first, priorClose: 100e9 })
      expect(watch.isQuiet(low)).toBe(false)
      expect(watch.take({ ...bar, low }, () => undefined)).toBe(expected)
    }
  })
})

/** Minutes of marks, with a trade now and then. */
function* wildMarks(seed: number, days: readonly Session[]) {
  const random = seededRandom(seed)
  let mark = 100e9
  let isLong = false
  for (const { at, isFirst } of minutesOf(days)) {
    mark = Math.round(mark * (1 + 0.02 * (random() - 0.5)))
    const isTrading = random() < 0.01
    isLong = isLong !== isTrading
    const held = isLong ? Math.floor(random() * 900) : 0
    yield { at, mark, shares: isTrading ? held : undefined, isFirst, isAsked: random() < 0.02 }
  }
}

/** The first minute of a day begins it, but for the first of all. */
function* minutesOf(days: readonly Session[]) {
  for (const session of days) {
    for (let at = session.openMs + minuteMs; at <= session.closeMs; at += minuteMs) {
      yield { at, isFirst: session !== days[0] && at === session.openMs + minuteMs }
    }
  }
}

type Holding = { readonly cash: bigint; readonly quantity: bigint }

function traded({ cash, quantity }: Holding, shares: number, mark: number): Holding {
  const next = BigInt(shares) * 10n ** 9n
  return { cash: cash - (next - quantity) * BigInt(mark), quantity: next }
}

describe('the loss breaker says what it says mark by mark', () => {
  const variants: readonly DrawdownRules[] = [
    drawdownRules,
    { ...drawdownRules, from: 'day_start' },
  ]
  const levels = new Set<number>()
  test.each(seeds.flatMap((seed) => variants.map((rules) => ({ seed, rules, from: rules.from }))))(
    'seed $seed, from $from',
    ({ seed, rules }) => {
      let holding = { cash: 100_000n * 10n ** 18n, quantity: 0n }
      const days = sessions(6)
      const timeMs = days[0]?.openMs ?? 0
      const watch = watchLosses(rules, { timeMs, holding })
      let exact = startDrawdown({ timeMs, equity: holding.cash })
      for (const { at, mark, shares, isFirst, isAsked } of wildMarks(seed, days)) {
        if (isFirst) watch.closeSession()
        if (shares !== undefined) {
          holding = traded(holding, shares, mark)
          watch.hold(holding)
        }
        watch.mark(at, mark)
        const equity = holding.cash + holding.quantity * BigInt(mark)
        exact = advanceDrawdown(exact, { timeMs: at, equity }, rules)
        if (isAsked) expect(watch.state()).toEqual(exact)
        levels.add(exact.level)
      }
      expect(watch.state()).toEqual(exact)
    },
  )

  test('the seeds above have met every level', () => {
    expect([...levels].toSorted()).toEqual([0, 1, 2, 3])
  })

  test('a fall to the level exactly is met, and a fall to one nano above it is not', () => {
    const timeMs = sessions(1)[0]?.openMs ?? 0
    const quantity = 10n ** 9n
    for (const [mark, level] of [
      [93e9, 1],
      [93e9 + 1, 0],
    ] as const) {
      const watch = watchLosses(drawdownRules, {
        timeMs,
        holding: { cash: 100n * 10n ** 18n, quantity: 0n },
      })
      watch.hold({ cash: 0n, quantity })
      watch.mark(timeMs + minuteMs, 100e9)
      watch.mark(timeMs + 2 * minuteMs, mark)
      expect(watch.state().level).toBe(level)
    }
  })
})
