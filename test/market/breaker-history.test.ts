import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  advanceBreaker,
  type BreakerRules,
  closeDay,
  mwcbRules,
  unknownBreaker,
} from '#core/market/breaker.ts'
import { sessionOfDay } from '#core/market/session.ts'

const path = join(import.meta.dir, '../../node_modules/vega-datasets/data/sp500-2000.csv')
const days = readFileSync(path, 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((row) => {
    const [day = '', , , low = '', close = ''] = row.split(',')
    return { day, low, close }
  })

/** 10^-9 of a text of six decimals. */
function nanos(text: string): number {
  return Number(BigInt(text.replace('.', '')) * 1000n)
}

/** Each day's low as one tick at noon in New York, then its close: what the breaker did. */
function replay(rules: BreakerRules): readonly string[] {
  const fired: string[] = []
  let state = unknownBreaker(days[0]?.day ?? '')
  for (const { day, low, close } of days) {
    const noonMs = (sessionOfDay(day)?.openMs ?? 0) + 150 * 60_000
    state = advanceBreaker(state, { timeMs: noonMs, indexNanos: nanos(low) }, rules)
    if (state.status === 'HALT') fired.push(`${day} L${state.haltLevel}`)
    if (state.status === 'CLOSED_L3') fired.push(`${day} L3`)
    state = closeDay(state, { day, closeNanos: nanos(close) }, rules)
  }
  return fired
}

/** Whole cents of a text of six decimals, to the nearest: the file holds floats of two decimals. */
function centsOf(text: string): bigint {
  return (BigInt(text.replace('.', '')) + 5000n) / 10_000n
}

/** The rule by decimals alone: level = close × (100 − percent) / 100, floored to the cent. */
function expectedFrom(inForceFrom: string): readonly string[] {
  return days.flatMap(({ day, low }, at) => {
    const before = days[at - 1]
    if (before === undefined || day < inForceFrom) return []
    const reached = [7n, 13n, 20n].filter(
      (percent) => centsOf(low) <= (centsOf(before.close) * (100n - percent)) / 100n,
    )
    return reached.length === 0 ? [] : [`${day} L${reached.length}`]
  })
}

const halts = ['2020-03-09 L1', '2020-03-12 L1', '2020-03-16 L1', '2020-03-18 L1']

test('on the real index the breaker fires on four days of March 2020, at level 1, and on no other', () => {
  expect(replay(mwcbRules)).toEqual(halts)
  expect(expectedFrom('2013-04-08')).toEqual(halts)
})

test('with today’s levels in force all along it fires on the days of 2000 to 2010 too', () => {
  const everything = replay({ ...mwcbRules, inForceFrom: '2000-01-01' })
  expect(everything).toEqual(expectedFrom('2000-01-01'))
  expect(everything).toHaveLength(14)
  expect(everything[0]).toBe('2000-04-14 L1')
})

test.each<[string, Partial<BreakerRules>, readonly string[]]>([
  [
    'a first level of 6 % adds a day',
    { levels: [6, 13, 20] },
    ['2020-03-09 L1', '2020-03-11 L1', '2020-03-12 L1', '2020-03-16 L1', '2020-03-18 L1'],
  ],
  ['a first level of 9 % loses one', { levels: [9, 13, 20] }, halts.slice(1)],
  [
    'a second level of 12 % names another level',
    { levels: [7, 12, 20] },
    ['2020-03-09 L1', '2020-03-12 L1', '2020-03-16 L2', '2020-03-18 L1'],
  ],
  [
    'a third level of 12 % closes the market',
    { levels: [7, 11, 12] },
    ['2020-03-09 L1', '2020-03-12 L1', '2020-03-16 L3', '2020-03-18 L1'],
  ],
  [
    'a day later in force loses one',
    { inForceFrom: '2020-03-10' },
    ['2020-03-12 L1', '2020-03-16 L1', '2020-03-18 L1'],
  ],
  ['a cutoff before noon halts nothing', { cutoffBeforeCloseMs: 4 * 3_600_000 + 1 }, []],
])('the series tells a wrong rule: %s', (_, change, fired) => {
  expect(fired).not.toEqual(halts)
  expect(replay({ ...mwcbRules, ...change })).toEqual([...fired])
})
