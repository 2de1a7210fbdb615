import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type IncidentWorld, openIncidentWorld } from '../incident/incident-world.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(60_000)

let folder: string
let world: IncidentWorld
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-incidents-'))
  world = await openIncidentWorld()
})
afterAll(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

const call = (...args: readonly string[]) =>
  runPostern(['incidents', ...args], {
    folder,
    settings: { POSTERN_MODE: 'development', POSTERN_DATABASE_URL: world.url },
  })

test.each([
  ['an unknown class', ['--class', 'cloud']],
  ['half a page', ['--limit', '0.5']],
  ['no days', ['mttr', '--days', '0']],
  ['more days than are kept', ['mttr', '--days', '401']],
  ['half an id', ['list', '--before', 'abc']],
  ['an act that is none', ['explode']],
])('asked with %s it explains its use and exits with 64', async (_name, args) => {
  expect(await call(...args)).toMatchObject({ code: 64, out: '' })
})

test('before anything happened there is no measurement, and no number made of it', async () => {
  expect(await call()).toMatchObject({ code: 0, out: '' })
  const { code, out } = await call('mttr')
  expect([code, out.match(/no measurement/g)?.length]).toEqual([0, 20])
  expect(out).toContain('there is no sum')
  expect(out).not.toMatch(/\d min/)
})

test('incidents are listed page by page, and measured apart from what is computed of them', async () => {
  const store = world.storeOn()
  const span = { reason: 'no answer in time', startedAge: 60, failingAge: 31, goodAge: 30 }
  await store.tell({ class: 'database', ...span })
  await store.close('database', 30)
  await store.tell({ class: 'queue', ...span, reason: 'the engine takes no job' })
  const all = (await call()).out.trim().split('\n')
  expect(all[0]).toMatch(/^queue +\S+Z to still open .* the engine takes no job$/)
  expect(all[1]).toMatch(/^database +\S+Z to \S+Z +30\.0 s +no answer in time$/)
  const open: unknown = JSON.parse((await call('--open', '--json')).out)
  expect(open).toMatchObject([{ class: 'queue', state: 'open', recovered_at: null }])
  expect((await call('list', '--class', 'database', '--limit', '1')).out).toStartWith('database')
  const page = await call('list', '--limit', '1')
  expect(page.out).toStartWith('queue')
  const [, next = ''] = /^There are more: --before (\S+)\n$/.exec(page.error) ?? []
  const rest = await call('list', '--limit', '1', '--before', next)
  expect([rest.out.startsWith('database'), rest.error]).toEqual([true, ''])
  const { out } = await call('mttr')
  expect(out).toMatch(/database +mean +30\.0 s {2}worst +30\.0 s {2}of 1\n/)
  expect(out).toMatch(/queue +no measurement, 1 open\n/)
  expect(out).toContain('Computed for 90 days, not measured')
  expect(out).toMatch(/database +3 faults +1\.50 min {2}a failover/)
  expect(out).toContain('1.50 min, without 9 classes that were not measured')
  const figures: unknown = JSON.parse((await call('mttr', '--days', '7', '--json')).out)
  expect(figures).toMatchObject({ days: 7, computed: { days: 90 } })
})

test('with the database away it says so and exits with 1', async () => {
  const { code, error } = await runPostern(['incidents'], {
    folder,
    settings: {
      POSTERN_MODE: 'development',
      POSTERN_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    },
  })
  expect([code, error.split(':')[0]]).toEqual([1, 'audit.unavailable'])
})
