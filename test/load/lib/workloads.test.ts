import { expect, test } from 'bun:test'
import { readProfile } from '../read-profile.ts'
import { everyClass } from './profile.ts'
import { closedOptions, openOptions, spikeOptions, ungated, untimed } from './workloads.ts'

const profile = readProfile()
const shape = { users: 100, spawnRate: 10, seconds: 120, stopSeconds: 0 }

test('users that would not be there within the run are refused', () => {
  expect(() => closedOptions(profile, { ...shape, seconds: 9 })).toThrow('not there within the run')
})

test('each class is a scenario that reaches its share when all users are there', () => {
  const { scenarios } = closedOptions(profile, shape)
  expect(Object.keys(scenarios)).toEqual(['NormalLoad', 'HeavyLoad', 'HFTLoad', 'AnalyticsLoad'])
  expect(scenarios['HFTLoad']).toEqual({
    executor: 'ramping-vus',
    exec: 'user',
    startVUs: 0,
    stages: [
      { duration: '10000ms', target: 15 },
      { duration: '110000ms', target: 15 },
    ],
    gracefulRampDown: '0s',
    gracefulStop: '0ms',
    env: { CLASS: 'HFTLoad' },
  })
})

test('a class without a user is no scenario, which k6 would refuse', () => {
  const { scenarios } = closedOptions(profile, { ...shape, users: 5 })
  expect(Object.keys(scenarios)).toEqual(['NormalLoad', 'HeavyLoad', 'HFTLoad'])
})

test('times are left to whoever reads them at the end, and nothing else', () => {
  const whole = closedOptions(profile, shape)
  const names = Object.keys(untimed(whole).thresholds)
  const isOfTime = (name: string) => name.startsWith('http_req_duration')
  expect(Object.keys(whole.thresholds).some(isOfTime)).toBe(true)
  expect(names).toEqual(Object.keys(whole.thresholds).filter((name) => !isOfTime(name)))
  expect(names).toContain('http_req_failed')
})

test('classes that are named are the only ones', () => {
  const { scenarios } = closedOptions(profile, shape, { ...everyClass, names: ['TradingUser'] })
  expect(Object.keys(scenarios)).toEqual(['TradingUser'])
})

test('a name that is asked for often has to be there and be fast; a rare one has not', () => {
  const { thresholds } = closedOptions(profile, { ...shape, seconds: 20 })
  expect(thresholds['http_req_failed']).toEqual(['rate<0.01'])
  expect(thresholds['http_reqs{name:/positions}']).toEqual(['count>0'])
  expect(thresholds['http_req_duration{name:/positions}']).toEqual(['p(99)<500'])
  expect(thresholds['http_reqs{name:/reconcile [POST]}']).toBeUndefined()
})

test('a fixed rate has all its users from the start, and none of it may be dropped', () => {
  const { scenarios, thresholds } = openOptions(profile, {
    ...{ rate: 12.4, seconds: 30, users: 40, stopSeconds: 6 },
  })
  expect(scenarios['open']).toMatchObject({
    ...{ executor: 'constant-arrival-rate', rate: 12, preAllocatedVUs: 40, maxVUs: 40 },
    gracefulStop: '6000ms',
  })
  expect(thresholds['dropped_iterations']).toEqual(['count==0'])
})

test('a step of a curve fails for nothing but a broken script', () => {
  expect(
    ungated(openOptions(profile, { rate: 1, seconds: 1, users: 1, stopSeconds: 0 })),
  ).toMatchObject({
    thresholds: { task_exceptions: ['count==0'] },
  })
})

test('a spike goes from a tenth of the users to all of them and back', () => {
  const { scenarios } = spikeOptions(profile, { ...shape, users: 1_000 })
  const stages = scenarios['HFTLoad']?.['stages']
  expect(stages).toEqual(
    [15, 15, 150, 150, 15, 15].map((target, at) => ({
      duration: ['12000ms', '30000ms', '12000ms', '36000ms', '6000ms', '24000ms'][at],
      target,
    })),
  )
})
