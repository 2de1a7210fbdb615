import { expect, test } from 'bun:test'
import { Hono } from 'hono'
import type { AccessDocument } from '#core/access/access-file.ts'
import { developmentAccess } from '#core/access/development-issuer.ts'
import { PosternError } from '#core/errors.ts'
import { authenticate } from '#gateway/authenticate.ts'
import { authorize } from '#gateway/authorize.ts'
import type { GatewayEnv } from '#gateway/context.ts'
import { renderProblem } from '#gateway/problem.ts'
import { rateLimit } from '#gateway/rate-limit.ts'
import { inOrder } from '#gateway/step.ts'
import { zoneAllowlist } from '#gateway/zone-allowlist.ts'
import { accessDocument, issuerName, openWorld, signingKey, token } from './world.ts'

const key = await signingKey('EdDSA', 'key-1')
const base = accessDocument({ jwks: { keys: [key.publicJwk] } }, ['EdDSA'])

async function openChain(change: Partial<AccessDocument> = {}, liveGateways = 1) {
  const world = await openWorld({ document: { ...base, ...change } })
  const { access, clock } = world
  const refusals: (string | undefined)[] = []
  const app = new Hono<GatewayEnv>()
  app.onError((error, c) => {
    if (!(error instanceof PosternError)) throw error
    refusals.push(error.reason)
    return renderProblem(c, error)
  })
  const path = '/v1/jobs/:id'
  app.get(
    path,
    inOrder(
      [
        (c) => c.set('routeTemplate', path),
        zoneAllowlist(access, 'v1'),
        authenticate(access),
        authorize(access, 'jobs:read'),
        rateLimit(access, { now: clock.now, liveGateways: () => liveGateways }),
      ],
      (c) => c.json({ client: c.var.clientAddress, subject: c.var.principal.subject }),
    ),
  )
  const call = async (
    headers: Record<string, string>,
    remoteAddress: string | undefined = '10.0.0.1',
    method = 'GET',
  ) =>
    await app.request(
      '/v1/jobs/1',
      { method, headers },
      {
        remoteAddress,
        setIdleSeconds: () => undefined,
      },
    )
  const bearer = async (claims: Record<string, unknown> = {}) => ({
    authorization: `Bearer ${await token(key, clock, claims)}`,
  })
  return { ...world, call, bearer, refusals }
}

test('an address outside the zone is refused before its token is looked at', async () => {
  const { call, refusals } = await openChain()
  const answer = await call({ authorization: 'junk' }, '8.8.8.8')
  expect(answer.status).toBe(403)
  expect(refusals).toEqual(['address.not_in_zone'])
})

test('a forged header does not make an outsider an insider', async () => {
  const { call, bearer, refusals } = await openChain()
  const good = await bearer()
  for (const name of ['x-forwarded-for', 'x_forwarded_for', 'forwarded', 'x-real-ip']) {
    expect((await call({ ...good, [name]: '10.0.0.1' }, '8.8.8.8')).status).toBe(403)
  }
  expect(new Set(refusals)).toEqual(new Set(['address.not_in_zone']))
})

test('through a trusted proxy the client decides, not the proxy', async () => {
  const { call, bearer } = await openChain()
  const good = await bearer()
  const inside = await call({ ...good, 'x-forwarded-for': '8.8.8.8, 10.0.0.9' }, '10.255.0.1')
  expect(await inside.json()).toEqual({ client: '10.0.0.9', subject: 'service-a' })
  const outside = await call({ ...good, 'x-forwarded-for': '10.0.0.9, 8.8.8.8' }, '10.255.0.1')
  expect(outside.status).toBe(403)
})

test('a peer that is gone has no address and is refused', async () => {
  const { access } = await openChain()
  expect(access.admit('v1', undefined, undefined)).toMatchObject({ admitted: false })
})

test('all token refusals are the same bytes on the wire, each with its own reason inside', async () => {
  const { call, bearer, clock, refusals, denyList } = await openChain()
  const revoked = await bearer({ jti: 'revoked' })
  denyList.deny(issuerName, 'jti', 'revoked')
  const good = (await bearer()).authorization
  const attempts: Record<string, string>[] = [
    {},
    { authorization: 'Basic YTpi' },
    { authorization: `${good}=` },
    await bearer({ aud: 'other' }),
    await bearer({ iss: 'https://other.example' }),
    await bearer({ exp: clock.seconds() - 60 }),
    await bearer({ sub: 42 }),
    { authorization: `Bearer ${await token(await signingKey('EdDSA', 'key-1'), clock)}` },
    revoked,
  ]
  const seen = new Set<string>()
  for (const headers of attempts) {
    const answer = await call(headers)
    const bytes = [answer.status, JSON.stringify([...answer.headers]), await answer.text()]
    seen.add(bytes.join('\n'))
  }
  expect(seen.size).toBe(1)
  expect([...seen][0]).toStartWith('401\n')
  expect(refusals).toEqual([
    'token.missing',
    'token.header_malformed',
    'token.not_canonical',
    'token.audience_mismatch',
    'token.issuer_unknown',
    'token.expired',
    'token.claim_invalid.sub',
    'token.signature_invalid',
    'token.revoked',
  ])
})

test('a token without the scope of the route is refused, and told which one', async () => {
  const { call, bearer, refusals } = await openChain()
  const answer = await call(await bearer({ scope: 'desk:a jobs:reader' }))
  expect(answer.status).toBe(403)
  expect(await answer.json()).toMatchObject({
    detail: 'This needs a token with the scope jobs:read.',
  })
  expect(refusals).toEqual(['scope.missing'])
})

test('a scope that the file adds to a route is asked for, by HEAD as well', async () => {
  const { call, bearer } = await openChain({ routes: { 'GET /v1/jobs/:id': ['desk:a'] } })
  const lacking = await bearer()
  const holding = await bearer({ scope: 'jobs:read desk:a', jti: 'other' })
  expect((await call(lacking)).status).toBe(403)
  expect((await call(lacking, '10.0.0.1', 'HEAD')).status).toBe(403)
  expect((await call(holding)).status).toBe(200)
})

test('one request past the burst is refused and told when to come back', async () => {
  const { call, bearer, clock, refusals } = await openChain({
    limits: { default: { perSecond: 0.5, burst: 3 } },
  })
  const good = await bearer()
  const first = await call(good)
  expect(first.headers.get('ratelimit-policy')).toBe('"subject";q=3;w=6')
  expect(first.headers.get('ratelimit')).toBe('"subject";r=2;t=2')
  await call(good)
  expect((await call(good)).status).toBe(200)
  const refused = await call(good)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('2')
  expect(refused.headers.get('ratelimit')).toBe('"subject";r=0;t=6')
  expect(refusals).toEqual(['rate.limited'])
  clock.advance(1_999)
  expect((await call(good)).status).toBe(429)
  clock.advance(1)
  expect((await call(good)).status).toBe(200)
})

test('the tokens of one subject share a limit, other subjects do not pay for it', async () => {
  const { call, bearer } = await openChain({ limits: { default: { perSecond: 1, burst: 2 } } })
  for (const jti of ['one', 'two']) expect((await call(await bearer({ jti }))).status).toBe(200)
  expect((await call(await bearer({ jti: 'three' }))).status).toBe(429)
  expect((await call(await bearer({ sub: 'service-b' }))).status).toBe(200)
})

test('a limit is shared by the gateways alive', async () => {
  const limits = { default: { perSecond: 4, burst: 4 } }
  const { call, bearer } = await openChain({ limits }, 2)
  const good = await bearer()
  const statuses = [await call(good), await call(good), await call(good)].map((one) => one.status)
  expect(statuses).toEqual([200, 200, 429])
})

test('a clock set back gives no requests away', async () => {
  const { call, bearer, clock } = await openChain({
    limits: { default: { perSecond: 1, burst: 1 } },
  })
  const good = await bearer()
  expect((await call(good)).status).toBe(200)
  clock.advance(-60_000)
  expect((await call(good)).status).toBe(429)
})

test('the access of a laptop admits loopback alone', async () => {
  const { access } = await openWorld({
    document: developmentAccess({
      key: {
        kid: 'key-1',
        privateJwk: { kty: 'OKP', crv: 'Ed25519', x: '', d: '' },
        publicJwk: {
          kty: 'OKP',
          crv: 'Ed25519',
          x: key.publicJwk.x ?? '',
          kid: 'key-1',
          alg: 'EdDSA',
          use: 'sig',
        },
      },
      audience: 'postern',
      scopes: [],
      callbackPrefixes: [],
    }),
  })
  for (const zone of ['v1', 'internal', 'probe'] as const) {
    expect(access.admit(zone, '::ffff:127.0.0.1', undefined).admitted).toBe(true)
    expect(access.admit(zone, '192.168.1.1', undefined).admitted).toBe(false)
  }
})
