import { expect, test } from 'bun:test'
import { compareCounts } from './compare-runs.ts'

const fates = (theirs: number, ours: number) =>
  compareCounts(new Map([['GET /pnl', theirs]]), new Map([['GET /pnl', ours]])).map(
    ({ fate }) => fate,
  )

test('counts within three deviations agree, and further apart they do not', () => {
  expect(fates(4_925, 5_007)).toEqual(['met'])
  expect(fates(1_000, 1_135)).toEqual(['met'])
  expect(fates(1_000, 1_150)).toEqual(['missed'])
})

test('a name that only one of the two knows is not overlooked', () => {
  const verdicts = compareCounts(new Map([['GET /pnl', 500]]), new Map([['GET /fills', 2]]))
  expect(verdicts.map(({ name, fate }) => [name, fate])).toEqual([
    ['GET /fills', 'met'],
    ['GET /pnl', 'missed'],
  ])
})
