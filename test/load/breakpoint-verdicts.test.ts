import { expect, test } from 'bun:test'
import {
  breakpointVerdicts,
  curveVerdicts,
  peakOf,
  type Step,
  stepLine,
} from './breakpoint-verdicts.ts'
import { goodBooks } from './fixtures/good-books.ts'

const step = (rate: number, goodput: number, heldPart = 1): Step => ({
  ...{ rate, goodput, heldPart, refused: rate - goodput, errors: 0, p99Ms: 20 },
})
const fates = (steps: readonly Step[]) => breakpointVerdicts(steps, 100).map(({ fate }) => fate)

test('goodput that holds nine tenths of its peak at five times saturation is met', () => {
  expect(fates([step(100, 100), step(200, 110), step(500, 99)])).toEqual(['met', 'met', 'met'])
})

test('goodput that falls below is missed', () => {
  expect(fates([step(100, 100), step(200, 110), step(500, 98.9)])).toEqual(['met', 'met', 'missed'])
})

test('a client that held less than 95 % of its rate makes the run void, however good', () => {
  expect(fates([step(100, 100), step(500, 100, 0.949)])).toEqual(['void', 'met'])
  expect(fates([step(100, 100), step(500, 100, 0.95)])).toEqual(['met', 'met', 'met'])
})

test('a curve that never went to five times saturation is void', () => {
  expect(fates([step(100, 100), step(300, 100)])).toEqual(['void', 'met'])
})

test('a server that answers nothing with 2xx has no peak that it could hold: void', () => {
  expect(fates([step(100, 0), step(500, 0)])).toEqual(['met', 'void'])
})

test.each([
  ['alone', []],
  ['with none that the client held', [step(100, 100, 0.949)]],
  ['with none at saturation', [step(97, 97)]],
])('a step at five times saturation %s is no peak of its own: void', (_, others) => {
  expect(fates([...others, step(500, 95)])).toEqual(['met', 'void', 'met'])
})

test('goodput that still rises at five times saturation was never saturated: void', () => {
  expect(fates([step(100, 89), step(500, 100)])).toEqual(['met', 'void', 'met'])
  expect(fates([step(100, 90), step(500, 100)])).toEqual(['met', 'met', 'met'])
})

test('a step that has found saturation belongs to the peak', () => {
  const searched = [step(100, 100), step(200, 130)]
  expect(fates([...searched, step(100, 100), step(500, 116)])).toEqual(['met', 'met', 'missed'])
})

test.each([
  ['of a market at work is met', goodBooks, 'met met met met met'],
  ['of a market that denied most is void', { ...goodBooks, accepted: 599 }, 'met met met void met'],
  ['of a market that filled little is void', { ...goodBooks, filled: 299 }, 'met met met met void'],
])('a curve %s', (_, books, expected) => {
  const steps = [step(100, 100), step(500, 100)]
  const verdicts = curveVerdicts({ steps, saturation: 100, books })
  expect(verdicts.map(({ fate }) => fate).join(' ')).toBe(expected)
})

test('a void step is no peak', () => {
  expect(peakOf([step(100, 100), step(200, 180, 0.5)])).toBe(100)
})

test('a void step says so', () => {
  expect(stepLine(step(500, 100, 0.5))).toBe(
    'VOID 500/s offered, 50.0 % held, 100/s good, 400/s refused, 0.0/s errors, p99 20 ms',
  )
})
