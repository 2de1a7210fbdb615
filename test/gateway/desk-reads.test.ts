import { beforeEach, expect, test } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { z } from 'zod'
import { fileWorld } from '#test/order/desk/file-world.ts'
import {
  addAccount,
  dayBar,
  fill,
  openReadsWorld,
  passed,
  place,
} from '#test/order/desk/reads-world.ts'
import { deskGateway } from './desk-gateway.ts'
import { problemIn } from './memory-gateway.ts'

const world = await fileWorld(openReadsWorld)
let gateway: ReturnType<typeof deskGateway>
beforeEach(() => {
  gateway = deskGateway(world)
})

const get = (path: string, as = 'desk') => gateway.send('GET', path, as)
const nobody = '0190a3f2-7c1e-7a4b-9d2e-5f60718293a4'

/** The body of a 200, which must be what the route says it answers with. */
async function bodyOf(path: string, template = path.split('?')[0]): Promise<unknown> {
  const response = await get(path)
  const body: unknown = await response.json()
  if (response.status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`)
  const route = gateway.routes.find((one) => one.method === 'GET' && one.path === template)
  const schema = route?.answers[200]?.schema
  if (schema === undefined) throw new Error(`${template} declares no answer`)
  return schema.parse(body)
}

test.each([
  '/v1/orders?limit=0',
  '/v1/orders?limit=201',
  '/v1/orders?status=open',
  '/v1/orders?open=yes',
  '/v1/orders?cursor=1',
  '/v1/orders?account=No%20Name',
  `/v1/orders/${nobody}?wait=61`,
  '/v1/fills?order_id=x',
  '/v1/fills?cursor=x',
  '/v1/fills/recent?limit=1001',
  '/v1/positions?symbol=a%27b',
  '/v1/pnl?start_date=2026-02-30',
  '/v1/pnl?start_date=0000-01-01',
  '/v1/pnl?method=lifo',
  '/v1/analytics/performance?days=3',
])('%s is refused', async (path) => {
  await addAccount(world.sql, 'mine')
  expect((await problemIn(await get(path))).code).toBe('request.query_invalid')
})

test.each(['ORD-17', nobody, `${nobody}x`])('an order %s that is none is 404', async (id) => {
  for (const path of [`/v1/orders/${id}`, `/v1/orders/${id}/events`, `/v1/orders/${id}?wait=1`]) {
    const problem = await problemIn(await get(path))
    expect([problem.status, problem.code]).toEqual([404, 'order.not_found'])
  }
})

test('no read passes without its scope', async () => {
  const reads = gateway.routes.filter(({ method }) => method === 'GET')
  expect(reads.length).toBeGreaterThan(10)
  for (const { path } of reads) {
    const response = await get(path.replace(':id', nobody), 'none')
    expect((await problemIn(response)).code).toBe('access.scope_missing')
  }
})

test('a token that trades nothing sees empty lists, and no account', async () => {
  await addAccount(world.sql, 'theirs', { traders: ['other'] })
  await place(world.desk, { account: 'theirs' })
  expect(await bodyOf('/v1/orders')).toEqual({ orders: [] })
  expect(await bodyOf('/v1/fills')).toEqual({ fills: [] })
  expect(await bodyOf('/v1/fills/recent')).toEqual({ fills: [] })
  expect(await bodyOf('/v1/positions')).toEqual({ positions: [] })
  expect((await problemIn(await get('/v1/account'))).code).toBe('account.not_found')
  for (const path of ['/v1/orders', '/v1/positions', '/v1/pnl', '/v1/account']) {
    const problem = await problemIn(await get(`${path}?account=theirs`))
    expect(problem.code).toBe('account.not_found')
  }
})

test('every read answers what it declares', async () => {
  await addAccount(world.sql, 'mine')
  const id = await fill(world.workerDesk, {
    ...{ account: 'mine', price: '100', fee: '1', at: '2026-03-04T15:00:00Z' },
  })
  await dayBar(world.sql, 'AAPL', '2026-03-04', '103')
  expect(await bodyOf('/v1/orders?account=mine&open=false')).toMatchObject({
    orders: [{ id, status: 'filled', filled_average_price: '100' }],
  })
  expect(await bodyOf(`/v1/orders/${id}?wait=5`, '/v1/orders/:id')).toMatchObject({ id })
  const events = await bodyOf(`/v1/orders/${id}/events?from=4`, '/v1/orders/:id/events')
  expect(events).toMatchObject({ events: [{ seq: 4, type: 'trade' }] })
  const one = { order_id: id, symbol: 'AAPL', quantity: '10', price: '100', fee: '1' }
  expect(await bodyOf(`/v1/fills?order_id=${id}`)).toMatchObject({ fills: [one] })
  expect(await bodyOf('/v1/fills/recent?limit=1')).toMatchObject({ fills: [one] })
  expect(await bodyOf('/v1/positions?symbol=AAPL')).toMatchObject({
    positions: [{ account: 'mine', quantity: '10', mark_price: null }],
  })
  expect(await bodyOf('/v1/account')).toMatchObject({ id: 'mine', cash: '98999', equity: null })
  for (const path of ['/v1/pnl', '/v1/analytics/pnl/daily']) {
    expect(await bodyOf(`${path}?start_date=2026-03-04&end_date=2026-03-04`)).toMatchObject({
      ...{ realised: '0', fees: '1', unrealised: '30', total: '29' },
      days: [{ date: '2026-03-04', total: '29', equity: '100029' }],
    })
  }
  expect(await bodyOf('/v1/analytics/performance')).toMatchObject({
    ...{ accounts: ['mine'], start_equity: '100000', end_equity: '100029' },
  })
})

test('the document of all these routes is valid OpenAPI 3.1', async () => {
  const document: unknown = await (await get('/openapi.json')).json()
  const result = await new Validator().validate(z.looseObject({}).parse(document))
  expect(result.errors ?? []).toEqual([])
  expect(result.valid).toBe(true)
})

test('a list hands out the cursor of its next page until there is none', async () => {
  await addAccount(world.sql, 'mine')
  for (let at = 0; at < 3; at += 1) await place(world.desk, { account: 'mine' })
  const page = z.object({ orders: z.array(z.object({ id: z.string() })), next: z.string() })
  const first = page.parse(await bodyOf('/v1/orders?limit=2'))
  const last = await bodyOf(`/v1/orders?limit=2&cursor=${first.next}`)
  expect(last).toMatchObject({ orders: [{}] })
  expect(last).not.toHaveProperty('next')
})

test('a wait ends when the listener stops, with the order as it stands', async () => {
  await addAccount(world.sql, 'mine')
  const id = await place(world.desk, { account: 'mine' }, passed)
  const waiting = get(`/v1/orders/${id}?wait=60`)
  gateway.closing.abort()
  expect(await (await waiting).json()).toMatchObject({ status: 'accepted' })
})

test('a token that was revoked during its wait learns nothing', async () => {
  await addAccount(world.sql, 'mine')
  const id = await place(world.desk, { account: 'mine' }, passed)
  const waiting = get(`/v1/orders/${id}?wait=60`)
  // The wait has begun once it has read the order.
  for (;;) {
    const [row] = await world.sql<{ seen: boolean }[]>`
      select exists (select from pg_stat_activity
        where query like '%from postern_order%where id%' and pid <> pg_backend_pid()) as seen`
    if (row?.seen === true) break
  }
  gateway.access.revoke('desk')
  await world.sql`update postern_order set status = 'new' where id = ${id}`
  expect((await problemIn(await waiting)).code).toBe('auth.token_rejected')
})

test('the 51st wait of one subject is refused and the fifty go on', async () => {
  await addAccount(world.sql, 'mine')
  const id = await place(world.desk, { account: 'mine' }, passed)
  const waits = Array.from({ length: 50 }, () => get(`/v1/orders/${id}?wait=60`))
  expect((await problemIn(await get(`/v1/orders/${id}?wait=60`))).code).toBe('gateway.overloaded')
  expect((await get(`/v1/orders/${id}`)).status).toBe(200)
  await world.sql`update postern_order set status = 'new' where id = ${id}`
  const statuses = (await Promise.all(waits)).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([200]))
})
