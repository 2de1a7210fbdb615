import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { z } from 'zod'
import { scheduleRoutes } from '#gateway/routes/schedules.ts'
import { memoryGateway, problemIn } from '#test/gateway/memory-gateway.ts'
import { kinds, openScheduleWorld, type ScheduleWorld } from './schedule-world.ts'

setDefaultTimeout(60_000)

let world: ScheduleWorld
let gateway: ReturnType<typeof memoryGateway>
beforeAll(async () => {
  world = await openScheduleWorld()
  const routes = scheduleRoutes({ schedules: world.store, kinds })
  gateway = memoryGateway({ overrides: { routes } })
})
afterAll(() => world.close())
beforeEach(() => world.clear())

const body = { kind: 'tidy-up', cron: '30 2 * * *', time_zone: 'Europe/Berlin' }

function send(method: string, path = '', sent?: unknown, as = 'all') {
  const headers = { 'content-type': 'application/json' }
  const init = sent === undefined ? {} : { headers, body: JSON.stringify(sent) }
  return gateway.request(`/internal/schedules${path}`, { method, as, ...init })
}
const put = (name: string, changes: object = {}) => send('PUT', `/${name}`, { ...body, ...changes })
const documents = z.record(z.string(), z.unknown())
const read = async (response: Promise<Response>) => documents.parse(await (await response).json())

test.each([
  ['GET', ''],
  ['GET', '/daily'],
  ['GET', '/daily/runs'],
  ['PUT', '/daily'],
  ['DELETE', '/daily'],
  ['POST', '/daily/pause'],
  ['POST', '/daily/resume'],
  ['POST', '/daily/run'],
])('%s %s needs a scope of its own and an address of operators', async (method, path) => {
  const unscoped = await send(method, path, method === 'PUT' ? body : undefined, 'other')
  expect(await problemIn(unscoped)).toMatchObject({ status: 403, code: 'access.scope_missing' })
  const outside = { method, address: '192.0.2.1' }
  const answer = await gateway.request(`/internal/schedules${path}`, outside)
  expect(await problemIn(answer)).toMatchObject({ status: 403, code: 'access.address_refused' })
})

test.each([
  ['GET', '/daily'],
  ['GET', '/daily/runs'],
  ['DELETE', '/daily'],
  ['POST', '/daily/pause'],
  ['POST', '/daily/resume'],
  ['POST', '/daily/run'],
])('%s %s of no schedule is 404', async (method, path) => {
  const problem = await problemIn(await send(method, path))
  expect(problem).toMatchObject({ status: 404, code: 'schedule.not_found' })
})

test.each(['Daily', '-daily', 'daily-', 'a b', '1daily', 'a:b', 'x'.repeat(64), '%00'])(
  'a schedule cannot be called %s',
  async (name) => {
    const problem = await problemIn(await put(name))
    expect(problem.code).toBeOneOf(['request.query_invalid', 'request.malformed'])
  },
)

test.each([
  ['/kind', { kind: 'nothing' }],
  ['/kind', { kind: 'inner' }],
  ['/kind', { kind: '__proto__' }],
  ['/payload', { payload: { room: 'attic', more: 1 } }],
  ['/payload/room', { payload: { room: 7 } }],
  ['/payload', { payload: { room: 'x'.repeat(16_384) } }],
  ['/cron', { cron: '* * * * * *' }],
  ['/cron', { cron: '0 0 31 2 *' }],
  ['/cron', { cron: 'x'.repeat(101) }],
  ['/time_zone', { time_zone: 'Mars/Phobos' }],
  ['/misfire', { misfire: 'twice' }],
  ['/backfill_max', { backfill_max: 101 }],
  ['/backfill_max', { backfill_max: 0 }],
  ['/overlap', { misfire: 'backfill', backfill_max: 2 }],
  ['/paused', { paused: true }],
])('a fault at %s is named: %j', async (pointer, changes) => {
  const problem = await problemIn(await put('daily', changes))
  expect(problem).toMatchObject({ status: 422, code: 'request.body_invalid' })
  expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
  expect(await read(send('GET'))).toEqual({ schedules: [] })
})

test('a NUL in a payload is refused, not stored', async () => {
  expect((await put('daily', { payload: { room: '\u0000' } })).status).toBeOneOf([400, 422])
})

test('what a token may not enqueue it may not have enqueued by the clock', async () => {
  const problem = await problemIn(await put('daily', { kind: 'guarded' }))
  expect(problem).toMatchObject({ status: 403, code: 'access.scope_missing' })
  expect(problem.detail).toContain('jobs:write:guarded')
})

test('made it is 201, the same again 200 and no change, other 200 and recorded', async () => {
  const made = await put('daily')
  expect(made.status).toBe(201)
  const document = documents.parse(await made.json())
  expect(document).toMatchObject({
    ...{ ...body, payload: {}, misfire: 'run_once', backfill_max: 1, overlap: 'skip' },
    ...{ source: 'operator', paused: false, changed_by: 'https://issuer.example all' },
  })
  expect(z.array(z.string()).length(10).parse(document['next_runs'])[0]).toBe(
    '2026-01-01T01:30:00.000Z',
  )
  expect((await put('daily')).status).toBe(200)
  expect(await world.records()).toHaveLength(1)
  expect((await put('daily', { cron: '31 2 * * *' })).status).toBe(200)
  const records = await world.records()
  expect(records).toHaveLength(2)
  expect(records[1]).toMatchObject({
    ...{ type: 'schedule.changed', ip: '10.0.0.7' },
    details: { cron: '31 2 * * *', previous: { cron: '30 2 * * *' } },
  })
  expect(await read(send('GET', '/daily'))).toMatchObject({ cron: '31 2 * * *' })
})

test('the two hundred and first schedule is refused', async () => {
  await world.sql`
    insert into postern_schedule
    select 'x' || n, 'tidy-up', '{}', '0 0 * * *', 'UTC', 'skip', 1, 'skip', 'operator', now(), null,
      null, now(), now(), 'test'
    from generate_series(1, 200) as n`
  const problem = await problemIn(await put('daily'))
  expect(problem).toMatchObject({ status: 409, code: 'schedule.limit_reached' })
  expect((await put('x7')).status).toBe(200)
})

test('a pause says who, is told once, and is over when it is resumed', async () => {
  await put('daily')
  const paused = await read(send('POST', '/daily/pause'))
  const by = 'https://issuer.example all'
  expect(paused).toMatchObject({ paused: true, paused_by: by, next_runs: [] })
  await send('POST', '/daily/pause')
  expect(await read(send('POST', '/daily/resume'))).toMatchObject({
    paused: false,
    paused_by: null,
  })
  await send('POST', '/daily/resume')
  expect((await world.records()).map(({ type }) => type)).toEqual([
    ...['schedule.changed', 'schedule.paused', 'schedule.resumed'],
  ])
})

test('run now accepts a job, also of a paused one, and names it', async () => {
  await put('daily')
  await send('POST', '/daily/pause')
  const answer = await send('POST', '/daily/run')
  expect(answer.status).toBe(202)
  const run = documents.parse(await answer.json())
  const by = 'https://issuer.example all'
  expect(run).toMatchObject({ cause: 'now', outcome: 'submitted', requested_by: by })
  expect(answer.headers.get('location')).toBe(`/v1/jobs/${run['job_id']}`)
  expect(world.sent.map(({ id }) => id)).toEqual([z.string().parse(run['job_id'])])
  expect(await read(send('GET', '/daily/runs'))).toEqual({ runs: [run] })
})

test('what must not overlap is not run beside its unfinished job', async () => {
  await put('daily')
  await send('POST', '/daily/run')
  const problem = await problemIn(await send('POST', '/daily/run'))
  expect(problem).toMatchObject({ status: 409, code: 'schedule.running' })
  await world.finishJobs()
  expect((await send('POST', '/daily/run')).status).toBe(202)
  expect(await world.jobs()).toBe(2)
})

test('two who run it at the same moment make one job of what must not overlap', async () => {
  await put('daily')
  const answers = await Promise.all([1, 2, 3].map(() => send('POST', '/daily/run')))
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409])
})

test('history comes in pages, newest first, with the state of each job', async () => {
  await put('daily', { overlap: 'allow' })
  for (const hour of [10, 11, 12]) {
    world.setClock(`2026-01-01T${hour}:00:00Z`)
    await send('POST', '/daily/run')
  }
  await world.finishJobs()
  const page = z.object({ runs: z.array(documents), next: z.string().optional() })
  const first = page.parse(await read(send('GET', '/daily/runs?limit=2')))
  const second = page.parse(await read(send('GET', `/daily/runs?limit=2&cursor=${first.next}`)))
  expect(second.next).toBeUndefined()
  const slots = [...first.runs, ...second.runs].map(({ slot }) =>
    z.string().parse(slot).slice(11, 13),
  )
  expect(slots).toEqual(['12', '11', '10'])
  expect(first.runs[0]).toMatchObject({ job_state: 'completed' })
})

test('removed it is gone, its history is not, and its name is free', async () => {
  await put('daily')
  await send('POST', '/daily/run')
  expect((await send('DELETE', '/daily')).status).toBe(200)
  expect((await send('GET', '/daily')).status).toBe(404)
  expect((await send('GET', '/daily/runs')).status).toBe(200)
  expect((await put('daily')).status).toBe(201)
})

test('a built-in one changes its time, but not its kind, and is not removed', async () => {
  await put('daily')
  await world.sql`update postern_schedule set source = 'built_in'`
  const removed = await problemIn(await send('DELETE', '/daily'))
  expect(removed).toMatchObject({ status: 409, code: 'schedule.built_in' })
  const other = await problemIn(await put('daily', { kind: 'sweep' }))
  expect(other).toMatchObject({ status: 409, code: 'schedule.built_in' })
  expect(await read(put('daily', { cron: '0 0 * * *' }))).toMatchObject({ source: 'built_in' })
})
