import { expect, test } from 'bun:test'
import { tokenMint } from '#core/access/mint-token.ts'
import { consoleRoutes } from '#gateway/routes/console.ts'
import { tokenRoutes } from '#gateway/routes/tokens.ts'
import { memoryGateway, outsideAddress, problemIn } from './memory-gateway.ts'

const tokens = tokenMint({
  ...{ issuer: undefined, rules: () => undefined, now: () => new Date() },
  audit: { append: async () => undefined, note: () => undefined, flush: async () => undefined },
})
const routes = [...tokenRoutes({ tokens }), ...consoleRoutes()]
const { gateway, request } = memoryGateway({ overrides: { routes } })

/** The only operations that ask for no token. */
const openRoutes = [
  'GET /.well-known/jwks.json',
  'GET /docs',
  'GET /docs/:file',
  'GET /healthz',
  'GET /internal/console',
  'GET /internal/console/:asset',
  'GET /openapi.json',
  'GET /problems',
  'GET /problems/:code',
  'GET /readyz',
]

const guarded = gateway.routes.filter((route) => route.scope !== undefined)
const pathOf = (path: string) =>
  path.replace(':id', '0190a3f2-7c1e-7a4b-9d2e-5f60718293a4').replace(':kind', 'score-wallet')
const named = (routes: typeof gateway.routes) =>
  routes.map((route) => [`${route.method} ${route.path}`, route] as const)

test('no operation but probes and documents does without a token', () => {
  const open = gateway.routes.filter((route) => route.scope === undefined)
  expect(open.map((route) => `${route.method} ${route.path}`).sort()).toEqual(openRoutes)
})

test('every operation of an operator lies in the internal zone', () => {
  const internal = gateway.routes.filter((route) => route.path.startsWith('/internal'))
  expect(internal.length).toBeGreaterThan(5)
  expect(internal.every((route) => route.zone === 'internal')).toBe(true)
})

test('no two operations share a name', () => {
  const names = gateway.routes.map((route) => route.operationId)
  expect(new Set(names).size).toBe(names.length)
})

test.each(named(gateway.routes))('%s refuses an address outside its zone', async (_name, route) => {
  const response = await request(pathOf(route.path), {
    method: route.method,
    address: outsideAddress,
  })
  expect((await problemIn(response)).code).toBe('access.address_refused')
})

test.each(named(guarded))('%s refuses a caller without a token', async (_name, route) => {
  const response = await request(pathOf(route.path), { method: route.method, as: '' })
  expect((await problemIn(response)).code).toBe('auth.token_rejected')
  expect(response.headers.get('www-authenticate')).toBe('Bearer')
})

test.each(named(guarded))('%s refuses a token without its scope', async (_name, route) => {
  const response = await request(pathOf(route.path), { method: route.method, as: 'none' })
  expect((await problemIn(response)).code).toBe('access.scope_missing')
})

test.each([
  '/',
  '/v1',
  '/v1/',
  '/V1/jobs',
  '/internal',
  '/internal/queues/',
  '/INTERNAL/queues',
  '/v1/jobs/',
  '/healthz/',
])('%s is no resource', async (path) => {
  const response = await request(path)
  expect((await problemIn(response)).code).toBe('route.not_found')
})

test('a method that a path does not have is refused with those it has', async () => {
  const response = await request('/v1/jobs', { method: 'PUT' })
  expect((await problemIn(response)).code).toBe('route.method_not_allowed')
  expect(response.headers.get('allow')).toBe('POST, GET, HEAD')
})

test('outside the zone, not even the methods of a path are told', async () => {
  const response = await request('/internal/queues', { method: 'PUT', address: outsideAddress })
  expect((await problemIn(response)).code).toBe('access.address_refused')
  expect(response.headers.get('allow')).toBeNull()
})

test('a caller over its limit is told when to come back', async () => {
  const limited = memoryGateway({ requests: 2 })
  await limited.request('/v1/kinds')
  await limited.request('/v1/kinds')
  const response = await limited.request('/v1/kinds')
  expect((await problemIn(response)).code).toBe('access.rate_limited')
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(response.headers.get('ratelimit')).toStartWith('"subject";r=0')
})
