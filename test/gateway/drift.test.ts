import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { z } from 'zod'
import { driftReads } from '#core/drift/postgres-drift.ts'
import { driftRoutes } from '#gateway/routes/drift.ts'
import { type DriftWorld, openDriftWorld, report } from '../drift/drift-world.ts'
import { memoryGateway, problemIn } from './memory-gateway.ts'

setDefaultTimeout(30_000)

let world: DriftWorld
let gateway: ReturnType<typeof memoryGateway>
beforeAll(async () => {
  world = await openDriftWorld()
  const routes = driftRoutes({ drift: driftReads(world.gateway) })
  gateway = memoryGateway({ overrides: { routes } })
})
afterAll(() => world.close())

const path = '/internal/drift'
const unknown = '0'.repeat(64)
const pageSchema = z.object({
  findings: z.array(z.object({ address: z.string(), fingerprint: z.string() }).loose()),
  next: z.string().optional(),
})
const page = async (query = '') =>
  pageSchema.parse(await (await gateway.request(`${path}${query}`)).json())

test('without the scope nothing is told', async () => {
  for (const one of [path, `${path}/${unknown}`]) {
    const answer = await gateway.request(one, { as: 'none' })
    expect((await problemIn(answer)).code).toBe('access.scope_missing')
  }
})

test.each([
  '?state=closed',
  '?source=cloud',
  '?limit=0',
  '?cursor=x',
  '?severity=high',
  '/x',
  `/${unknown.toUpperCase().replace('0', 'A')}`,
])('%s is refused', async (rest) => {
  expect((await problemIn(await gateway.request(`${path}${rest}`))).code).toBe(
    'request.query_invalid',
  )
})

test('what is open is told, page by page, and what was resolved when it is asked for', async () => {
  await world.check(report(['a', 'b', 'c']))
  await world.check(report(['b', 'c']))
  await world.check(report(['d'], { source: 'runtime' }))
  const addresses = async (query = '') =>
    (await page(query)).findings.map(({ address }) => address).sort()
  expect(await addresses()).toEqual(['b', 'c', 'd'])
  expect(await addresses('?state=resolved')).toEqual(['a'])
  expect(await addresses('?state=all&source=plan')).toEqual(['a', 'b', 'c'])
  const first = await page('?limit=2')
  expect((await page(`?limit=2&cursor=${first.next}`)).next).toBeUndefined()
})

test('one is read by its fingerprint', async () => {
  const [one] = (await page('?state=resolved')).findings
  const answer = await gateway.request(`${path}/${one?.fingerprint}`)
  expect(await answer.json()).toEqual(one ?? {})
  const missing = await gateway.request(`${path}/${unknown}`)
  expect((await problemIn(missing)).code).toBe('drift.not_found')
})
