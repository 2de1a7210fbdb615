import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openScheduleWorld, type ScheduleWorld } from '../schedule/schedule-world.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(60_000)

let folder: string
let world: ScheduleWorld
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-schedules-'))
  world = await openScheduleWorld()
})
afterAll(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

const call = (...args: readonly string[]) =>
  runPostern(['schedules', ...args], {
    folder,
    settings: { POSTERN_MODE: 'development', POSTERN_DATABASE_URL: world.url },
  })
const morning = ['morning', '--kind', 'score-cohort', '--cron', '30 6 * * MON-FRI']

test.each([
  ['no name', ['set', '--kind', 'score-cohort', '--cron', '0 0 * * *']],
  ['a name of other letters', ['set', 'Über', '--kind', 'x', '--cron', '0 0 * * *']],
  ['no kind', ['set', 'x', '--cron', '0 0 * * *']],
  ['no pattern', ['set', 'x', '--kind', 'score-cohort']],
  ['a payload that is no object', ['set', ...morning, '--payload', '[1]']],
  ['a payload that is no JSON', ['set', ...morning, '--payload', '{']],
  ['an unknown policy', ['set', ...morning, '--misfire', 'twice']],
  ['a backfill of a thousand', ['set', ...morning, '--backfill-max', '1000']],
  ['half a page', ['history', 'x', '--limit', '0.5']],
  ['an act that is none', ['explode', 'x']],
])('asked with %s it explains its use and exits with 64', async (_name, args) => {
  expect(await call(...args)).toMatchObject({ code: 64, out: '' })
})

test.each([
  ['/kind', ['--kind', 'advance-orders', '--cron', '0 0 * * *']],
  ['/cron', ['--kind', 'score-cohort', '--cron', '* * * * * *']],
  ['/time_zone', ['--kind', 'score-cohort', '--cron', '0 0 * * *', '--timezone', 'Mars/Phobos']],
  ['/payload', ['--kind', 'score-cohort', '--cron', '0 0 * * *', '--payload', '{"x":1}']],
  ['/payload', ['--kind', 'score-cohort', '--cron', '0 0 * * *', '--payload', '{"x":"\\u0000"}']],
])('what is wrong with %s is named, and it exits with 64', async (pointer, args) => {
  const { code, out, error } = await call('set', 'x', ...args)
  expect({ code, out }).toEqual({ code: 64, out: '' })
  expect(error).toStartWith(`${pointer}: `)
})

test('without a database it exits with 78', async () => {
  const settings = { POSTERN_MODE: 'development' }
  const { code, error } = await runPostern(['schedules', 'list'], { folder, settings })
  expect(code).toBe(78)
  expect(error).toContain('POSTERN_DATABASE_URL')
})

test('a schedule is made, shown, listed, changed, paused, resumed, run and removed', async () => {
  const made = await call('set', ...morning, '--timezone', 'Europe/Berlin')
  expect(made).toMatchObject({ code: 0, error: '' })
  expect(made.out).toMatch(/^morning: made, next \d{4}-.*Z\n$/)
  const shown = await call('show', 'morning', '--json')
  const document = z.record(z.string(), z.unknown()).parse(JSON.parse(shown.out))
  expect(document).toMatchObject({ kind: 'score-cohort', time_zone: 'Europe/Berlin', payload: {} })
  expect(document['next_runs']).toBeArrayOfSize(10)
  expect(document['changed_by']).toEndWith('at a terminal')
  expect((await call('list')).out).toMatch(/^morning {2}score-cohort {2}30 6 \* \* MON-FRI Europe/)
  expect((await call('show', 'morning')).out).toContain('misfire  run_once; overlap skip')
  expect((await call('pause', 'morning')).out).toContain('paused')
  expect((await call('resume', 'morning')).out).toContain('next 2')
  const run = await call('run', 'morning')
  expect(run.out).toMatch(/now {2}submitted {2}job [0-9a-f-]{36} accepted\n$/)
  const again = await call('run', 'morning')
  expect(again.code).toBe(1)
  expect(again.error).toStartWith('schedule.running: ')
  expect((await call('history', 'morning', '--limit', '1')).out).toBe(run.out)
  expect((await call('remove', 'morning')).out).toBe('morning: removed\n')
  expect(await call('show', 'morning')).toMatchObject({ code: 1 })
  const acts = (await world.records()).filter(({ type }) => `${type}`.startsWith('schedule.'))
  expect(acts.map(({ type }) => type)).toEqual([
    ...['schedule.changed', 'schedule.paused', 'schedule.resumed', 'schedule.fired'],
    'schedule.removed',
  ])
  expect(acts[0]).toMatchObject({ details: { by: expect.stringContaining('at a terminal') } })
})
