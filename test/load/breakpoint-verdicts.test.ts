import { expect, test } from 'bun:test'
import { breakpointVerdicts, peakOf, type Step, stepLine } from './breakpoint-verdicts.ts'

const step = (rate: number, goodput: number, heldPart = 1): Step => ({
  ...{ rate, goodput, heldPart, refused: rate - goodput, errors: 0, p99Ms: 20 },
})
const fates = (steps: readonly Step[]) => breakpointVerdicts(steps, 100).map(({ fate }) => fate)

test('goodput that holds nine tenths of its peak at five times saturation is met', () => {
  expect(fates([step(100, 100), step(200, 110), step(500, 99)])).toEqual(['met', 'met'])
})

test('goodput that falls below is missed', () => {
  expect(fates([step(100, 100), step(200, 110), step(500, 98.9)])).toEqual(['met', 'missed'])
})

test('a client that held less than 95 % of its rate makes the run void, however good', () => {
  expect(fates([step(100, 100), step(500, 100, 0.949)])).toEqual(['void'])
  expect(fates([step(100, 100), step(500, 100, 0.95)])).toEqual(['met', 'met'])
})

test('a curve that never went to five times saturation is void', () => {
  expect(fates([step(100, 100), step(300, 100)])).toEqual(['void'])
})

test('a void step is no peak', () => {
  expect(peakOf([step(100, 100), step(200, 180, 0.5)])).toBe(100)
})

test('a void step says so', () => {
  expect(stepLine(step(500, 100, 0.5))).toBe(
    'VOID 500/s offered, 50.0 % held, 100/s good, 400/s refused, 0.0/s errors, p99 20 ms',
  )
})
