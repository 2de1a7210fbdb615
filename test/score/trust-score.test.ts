import { expect, test } from 'bun:test'
import { algorithms } from '#core/score/algorithm.ts'
import { measureWallet, type ScoreOptions } from '#core/score/measure-wallet.ts'
import { formCohort, scoreMeasured } from '#core/score/score-cohort.ts'
import { tradeOf } from '#core/score/trade.ts'
import { boundsOf, type Features, scoreFeatures } from '#core/score/trust-score.ts'
import { randomNumbers, syntheticWallets } from './synthetic-wallets.ts'

const { weights } = algorithms['xorj-1.0.0']
const bounds = {
  sharpe: { min: '-1', max: '3' },
  roiPercent: { min: '0', max: '50' },
  drawdownPercent: { min: '5', max: '45' },
}

function features(sharpe: number | string, roi: number | string, drawdown: number | string) {
  return { sharpe: `${sharpe}`, roiPercent: `${roi}`, drawdownPercent: `${drawdown}` }
}

const score = (wallet: Features) => scoreFeatures(wallet, bounds, weights)

test('FR-3 by hand: 40 % of Sharpe and 25 % of ROI less 35 % of drawdown', () => {
  // S = 0.75, R = 0.5, D = 0.25: 0.3 + 0.125 - 0.0875
  expect(score(features(2, 25, 15))).toMatchObject({
    normalised: { sharpe: '0.75', roiPercent: '0.5', drawdownPercent: '0.25' },
    performanceScore: '0.425',
    riskPenalty: '0.0875',
    trustScore: '33.75',
    trustScoreScaled: '68.75',
  })
})

test.each([
  ['best in everything', features(3, 50, 5), '65', '100'],
  ['worst in everything', features(-1, 0, 45), '0', '0'],
  ['average with the deepest drawdown', features(1, 25, 45), '0', '32.5'],
  ['beyond every bound', features(99, 1e6, 0), '65', '100'],
  ['below every bound', features(-99, -100, 100), '0', '0'],
])('%s scores %p', (_name, wallet, trustScore, trustScoreScaled) => {
  expect(score(wallet)).toMatchObject({ trustScore, trustScoreScaled })
})

test('the safety weights punish drawdown more and reach 55 at most', () => {
  const safety = algorithms['xorj-1.0.0-safety'].weights
  expect(scoreFeatures(features(3, 50, 5), bounds, safety).trustScore).toBe('55')
  expect(scoreFeatures(features(2, 25, 15), bounds, safety).trustScore).toBe('26.25')
})

test('a cohort that is all alike in one feature places nobody and says in which', () => {
  const flat = { ...bounds, roiPercent: { min: '7', max: '7' } }
  const { trustScore, trustScoreScaled, reasons } = scoreFeatures(features(2, 7, 15), flat, weights)
  expect([trustScore, trustScoreScaled]).toEqual([null, null])
  expect(reasons).toEqual([
    { code: 'COHORT_WITHOUT_SPREAD', detail: 'every wallet of the cohort has the same roiPercent' },
  ])
})

const random = randomNumbers(5)
const cohort = Array.from({ length: 40 }, () =>
  features(random() * 6 - 2, random() * 100 - 40, random() * 60),
)
const inCohort = (wallet: Features, members: readonly Features[]) => {
  const found = boundsOf(members)
  if (found === undefined) throw new Error('the cohort has members')
  return scoreFeatures(wallet, found, weights)
}

test('the order of the cohort changes nothing', () => {
  const shuffled = cohort.toSorted((a, b) => (a.roiPercent < b.roiPercent ? -1 : 1))
  for (const wallet of cohort) expect(inCohort(wallet, shuffled)).toEqual(inCohort(wallet, cohort))
})

test('the same added to every ROI changes nothing', () => {
  // Whole millionths, so that the sum is exact.
  const whole = cohort.map((each) => ({ ...each, roiPercent: Number(each.roiPercent).toFixed(6) }))
  const moved = whole.map((each) => ({
    ...each,
    roiPercent: (Number(each.roiPercent) + 1_000).toFixed(6),
  }))
  for (const [index, wallet] of whole.entries()) {
    const other = moved[index] ?? wallet
    expect(inCohort(other, moved).trustScore).toBe(inCohort(wallet, whole).trustScore)
  }
})

test('better Sharpe or ROI never lowers a score, deeper drawdown never raises it', () => {
  for (const wallet of cohort) {
    const base = scaled(wallet)
    expect(scaled({ ...wallet, sharpe: `${Number(wallet.sharpe) + 0.5}` })).toBeGreaterThanOrEqual(
      base,
    )
    expect(
      scaled({ ...wallet, roiPercent: `${Number(wallet.roiPercent) + 5}` }),
    ).toBeGreaterThanOrEqual(base)
    expect(
      scaled({ ...wallet, drawdownPercent: `${Number(wallet.drawdownPercent) + 5}` }),
    ).toBeLessThanOrEqual(base)
    expect(Number(inCohort(wallet, cohort).trustScore)).toBeLessThanOrEqual(65)
  }
})

function scaled(wallet: Features): number {
  return Number(inCohort(wallet, cohort).trustScoreScaled)
}

const options: ScoreOptions = {
  costBasis: 'fifo',
  algorithmVersion: 'xorj-1.0.0',
  endDate: '2025-09-30',
}

function measured(wallets: number) {
  return [...syntheticWallets({ wallets, swapsPerWallet: 60, state: 9 })].map(({ wallet, rows }) =>
    measureWallet(
      wallet,
      rows.map((row) => tradeOf(wallet, row)),
      options,
    ),
  )
}

test.each([
  [19, false],
  [20, true],
])('a cohort of %p eligible wallets gives scores: %p', (size, hasScores) => {
  const measurements = measured(size)
  const formed = formCohort('batch', measurements, options)
  expect(formed.size).toBe(size)
  const scores = measurements.map((measurement) => scoreMeasured(measurement, formed))
  expect(scores.every(({ trustScore }) => (trustScore !== null) === hasScores)).toBe(true)
  const codes = new Set(scores.flatMap(({ reasons }) => reasons.map(({ code }) => code)))
  expect([...codes]).toEqual(hasScores ? [] : ['COHORT_TOO_SMALL'])
})

test('a wallet alone without a reference stays eligible and has no score, neither 0 nor 15', () => {
  const [measurement] = measured(1)
  if (measurement === undefined) throw new Error('one wallet was measured')
  const alone = scoreMeasured(measurement, undefined)
  expect(alone).toMatchObject({ status: 'eligible', trustScore: null, cohort: null, dsr: null })
  expect(alone.reasons).toEqual([
    { code: 'COHORT_TOO_SMALL', detail: 'no reference cohort, 20 needed' },
  ])
})

test('a wallet that is not eligible has no score and its own reasons, within any cohort', () => {
  const measurements = measured(20)
  const formed = formCohort('batch', measurements, options)
  const empty = scoreMeasured(
    measureWallet('11111111111111111111111111111111', [], options),
    formed,
  )
  expect(empty).toMatchObject({ status: 'no_data', trustScore: null, normalised: null })
  expect(empty.reasons.map(({ code }) => code)).toEqual(['NO_TRADES'])
})

test('everything a score was made from is in it: bounds, version and weights give it again', () => {
  const measurements = measured(30)
  const formed = formCohort('batch', measurements, options)
  for (const measurement of measurements) {
    const {
      metrics,
      cohort: used,
      algorithmVersion,
      trustScore,
    } = scoreMeasured(measurement, formed)
    if (used?.bounds == null) throw new Error('the cohort is in the score')
    const again = scoreFeatures(
      features(
        metrics.sharpe ?? 0,
        metrics.netRoiPercent ?? 0,
        Math.abs(metrics.maxDrawdown ?? 0) * 100,
      ),
      used.bounds,
      algorithms[algorithmVersion].weights,
    )
    expect(again.trustScore).toBe(trustScore)
  }
})
