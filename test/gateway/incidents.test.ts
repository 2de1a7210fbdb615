import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { z } from 'zod'
import { incidentReads } from '#core/incident/incident-reads.ts'
import { incidentRoutes } from '#gateway/routes/incidents.ts'
import { type IncidentWorld, openIncidentWorld } from '../incident/incident-world.ts'
import { memoryGateway, problemIn } from './memory-gateway.ts'

setDefaultTimeout(30_000)

let world: IncidentWorld
let gateway: ReturnType<typeof memoryGateway>
beforeAll(async () => {
  world = await openIncidentWorld()
  const routes = incidentRoutes({ incidents: incidentReads(world.gateway) })
  gateway = memoryGateway({ overrides: { routes } })
})
afterAll(() => world.close())

const path = '/internal/incidents'
const pageSchema = z.object({
  incidents: z.array(z.object({ class: z.string(), state: z.string() }).loose()),
  next: z.string().optional(),
  summary: z.object({
    days: z.int(),
    classes: z.array(z.object({ class: z.string(), mttr_seconds: z.number().nullable() }).loose()),
  }),
})
const page = async (query = '') =>
  pageSchema.parse(await (await gateway.request(`${path}${query}`)).json())

test('without the scope nothing is told', async () => {
  const answer = await gateway.request(path, { as: 'none' })
  expect((await problemIn(answer)).code).toBe('access.scope_missing')
})

test.each([
  '?state=closed',
  '?class=cloud',
  '?days=0',
  '?days=401',
  '?limit=0',
  '?cursor=x',
  '?x=1',
])('%s is refused', async (query) => {
  expect((await problemIn(await gateway.request(`${path}${query}`))).code).toBe(
    'request.query_invalid',
  )
})

test('where nothing was measured, nothing is said to have been', async () => {
  const { incidents, summary } = await page()
  expect([incidents, summary.days, summary.classes.length]).toEqual([[], 90, 10])
  expect(summary.classes.every((one) => one.mttr_seconds === null)).toBe(true)
})

test('incidents are told page by page, by class and by state, with what was measured', async () => {
  const store = world.storeOn(world.gateway)
  for (const of of ['queue', 'workers', 'database'] as const) {
    const span = { startedAge: 60, failingAge: 40, goodAge: 39 }
    await store.tell({ class: of, reason: 'away', ...span })
    if (of !== 'workers') await store.close(of, 39)
  }
  const classes = async (query = '') => (await page(query)).incidents.map((one) => one.class)
  expect(await classes()).toEqual(['database', 'workers', 'queue'])
  expect(await classes('?state=open')).toEqual(['workers'])
  expect(await classes('?state=recovered&class=queue')).toEqual(['queue'])
  const first = await page('?limit=2')
  const rest = await page(`?limit=2&cursor=${first.next}`)
  expect([rest.incidents.map((one) => one.class), rest.next]).toEqual([['queue'], undefined])
  const [queue] = first.summary.classes.filter((one) => one.class === 'queue')
  expect(queue).toMatchObject({ incidents: 1, open: 0, recovered: 1 })
  expect(queue?.mttr_seconds).toBeCloseTo(21, 0)
  expect((await page('?days=1')).summary.days).toBe(1)
})
