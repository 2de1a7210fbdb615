import { afterEach, expect, test } from 'bun:test'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { z } from 'zod'
import type { IssuerRules } from '#core/access/access-file.ts'
import { freshIssuerKeys, succeedIssuerKeys } from '#core/access/issuer-keys.ts'
import type { LocalIssuer } from '#core/access/local-issuer.ts'
import { tokenMint } from '#core/access/mint-token.ts'
import type { AuditRecord } from '#core/audit/record.ts'
import { PosternError } from '#core/errors.ts'
import { tokenRoutes } from '#gateway/routes/tokens.ts'
import { localName, privateTexts, testIssuer } from '../access/issuer-world.ts'
import { audience, openWorld, testClock } from '../access/world.ts'
import { memoryGateway, problemIn } from './memory-gateway.ts'

const members = await freshIssuerKeys()
const granted: IssuerRules = {
  ...{ issuer: localName, audiences: [audience, 'other'], algorithms: ['EdDSA'] },
  ...{ keys: { local: true }, scopes: ['jobs:read', 'tokens:mint'] },
}
const wish = { subject: 'nightly', scopes: ['jobs:read'], audience, ttl_seconds: 60 }
const clock = testClock()

const servers: Bun.Server<undefined>[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true)
})

/** A gateway whose caller `all` may mint, with the records that it wrote. */
function mintingGateway(
  issuer: LocalIssuer | undefined,
  rules: IssuerRules | undefined = granted,
  outage?: PosternError,
) {
  const records: AuditRecord[] = []
  const audit = {
    async append(record: AuditRecord) {
      if (outage !== undefined) throw outage
      records.push(record)
    },
    note: () => undefined,
    flush: () => Promise.resolve(),
  }
  const tokens = tokenMint({ issuer, rules: () => rules, audit, now: clock.now })
  const gateway = memoryGateway({ overrides: { routes: tokenRoutes({ tokens }) } })
  const mint = (change: object = {}, as = 'all') =>
    gateway.post('/internal/tokens', { ...wish, ...change }, { as })
  return { ...gateway, minted: records, mint }
}

const minted = z.strictObject({
  ...{ token: z.string(), token_id: z.uuid(), expires_at: z.iso.datetime() },
  ...{ kid: z.string(), issuer: z.literal(localName) },
})

test.each([
  ['without a subject', { subject: undefined }, '/subject'],
  ['with an empty subject', { subject: '' }, '/subject'],
  ['with a subject of two words', { subject: 'a b' }, '/subject'],
  ['with a subject in look-alike letters', { subject: 'оperator' }, '/subject'],
  ['with a subject that ends a line', { subject: 'a\n' }, '/subject'],
  ['with a subject that is too long', { subject: 'a'.repeat(129) }, '/subject'],
  ['with no scope', { scopes: [] }, '/scopes'],
  ['with scopes in one text', { scopes: ['jobs:read queues:admin'] }, '/scopes/0'],
  ['with a scope that the file does not let it grant', { scopes: ['queues:admin'] }, '/scopes/0'],
  ['with one such scope behind a good one', { scopes: ['jobs:read', 'a'] }, '/scopes/1'],
  ['with the scope to mint more', { scopes: ['tokens:mint'] }, '/scopes/0'],
  ['with that scope in capitals', { scopes: ['TOKENS:MINT'] }, '/scopes/0'],
  ['with too many scopes', { scopes: Array(101).fill('jobs:read') }, '/scopes'],
  ['with scopes that are too long', { scopes: Array(17).fill('s'.repeat(128)) }, '/scopes'],
  ['for an audience that is not ours', { audience: 'elsewhere' }, '/audience'],
  ['for two audiences', { audience: [audience] }, '/audience'],
  ['for no time', { ttl_seconds: 0 }, '/ttl_seconds'],
  ['for half a second', { ttl_seconds: 0.5 }, '/ttl_seconds'],
  ['for a second more than is configured', { ttl_seconds: 901 }, '/ttl_seconds'],
  ['for more than an hour', { ttl_seconds: 3_601 }, '/ttl_seconds'],
  ['for ever', { ttl_seconds: Number.MAX_SAFE_INTEGER }, '/ttl_seconds'],
  ['of another issuer', { issuer: 'https://other.example' }, '/issuer'],
  ['with claims of its own', { act: { iss: 'x', sub: 'y' } }, '/act'],
  ['as somebody else', { minter: { issuer: 'x', subject: 'y' } }, '/minter'],
])('a token %s is not made, and the fault is pointed at', async (_, change, pointer) => {
  const { mint, minted: records } = mintingGateway(await testIssuer(members))
  const problem = await problemIn(await mint(change))
  expect(problem).toMatchObject({ status: 422, code: 'request.body_invalid' })
  expect(problem.errors?.map((error) => error.pointer)).toContain(pointer)
  expect(records).toEqual([])
})

test('who lacks the scope mints nothing', async () => {
  const { mint, minted: records } = mintingGateway(await testIssuer(members))
  expect(await problemIn(await mint({}, 'other'))).toMatchObject({ code: 'access.scope_missing' })
  expect(records).toEqual([])
})

test('without a local issuer, or an access file that names it, nothing is minted and it says why', async () => {
  const off = mintingGateway(undefined)
  expect(await problemIn(await off.mint())).toMatchObject({
    ...{ status: 404, code: 'issuer.not_configured' },
    detail: expect.stringContaining('POSTERN_ISSUER'),
  })
  const keys = await off.request('/.well-known/jwks.json', { as: '' })
  expect(await problemIn(keys)).toMatchObject({ status: 404, code: 'issuer.not_configured' })
  expect(keys.headers.get('cache-control')).toBe('no-store')
  const issuer = await testIssuer(members)
  const tokens = tokenMint({
    ...{ issuer, rules: () => undefined, now: clock.now },
    audit: { append: Promise.reject, note: () => undefined, flush: () => Promise.resolve() },
  })
  const unnamed = memoryGateway({ overrides: { routes: tokenRoutes({ tokens }) } })
  const answer = await problemIn(await unnamed.post('/internal/tokens', wish))
  expect(answer.detail).toStartWith('The access file does not name it.')
})

test('a token whose record cannot be written leaves nowhere', async () => {
  const outage = new PosternError('audit.unavailable')
  const { mint } = mintingGateway(await testIssuer(members), granted, outage)
  const answer = await mint()
  const text = await answer.clone().text()
  expect(await problemIn(answer)).toMatchObject({ status: 503, code: 'audit.unavailable' })
  expect(text).not.toContain('eyJ')
})

test('a minted token says what was asked, names who had it made, is kept by no cache, and has its record', async () => {
  const issuer = await testIssuer(members)
  const { mint, minted: records, lines } = mintingGateway(issuer)
  const answer = await mint({ scopes: ['jobs:read', 'jobs:read'] })
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  const { token, ...told } = minted.parse(await answer.json())
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', kid: told.kid, typ: 'JWT' })
  expect(decodeJwt(token)).toEqual({
    ...{ iss: localName, sub: 'nightly', aud: audience, jti: told.token_id, scope: 'jobs:read' },
    ...{ iat: clock.seconds(), exp: clock.seconds() + 60 },
    act: { iss: 'https://issuer.example', sub: 'all' },
  })
  expect(told.expires_at).toBe(new Date((clock.seconds() + 60) * 1_000).toISOString())
  expect(records).toHaveLength(1)
  expect(records[0]).toMatchObject({
    ...{ type: 'token.minted', outcome: 'ok', target: `token/${told.token_id}` },
    actor: { iss: 'https://issuer.example', sub: 'all', jti: 'all-1' },
    details: {
      ...{ iss: localName, sub: 'nightly', kid: told.kid, jti: told.token_id, aud: audience },
      ...{ scopes: ['jobs:read'], expiresAt: told.expires_at },
    },
  })
  const written = JSON.stringify([records, lines]) + Bun.inspect([records, lines], { depth: 10 })
  for (const secret of [token, token.split('.')[2] ?? '', ...privateTexts(members)]) {
    expect(written).not.toContain(secret)
  }
})

test('a token lives as long as is configured where nothing is said, and not a second longer', async () => {
  const issuer = await testIssuer(members)
  const { mint } = mintingGateway(issuer)
  const { token } = minted.parse(await (await mint({ ttl_seconds: undefined })).json())
  const { access } = await openWorld(
    {
      document: {
        ...{ zones: { v1: [], internal: [], probe: [] }, callbackPrefixes: [] },
        trustedProxies: { header: 'x-forwarded-for', proxies: [] },
        issuers: [{ ...granted, scopes: ['jobs:read'] }],
        limits: { default: { perSecond: 1, burst: 1 } },
      },
    },
    { localIssuer: issuer },
    clock,
  )
  const principal = await access.authenticate(`Bearer ${token}`)
  expect(principal.expiresAt).toBe(clock.seconds() + issuer.ttlSecondsMax)
  expect(principal.mintedBy).toBe('https://issuer.example all')
})

test('the key set is public, may be kept as long as is configured, and is told once', async () => {
  const { request } = mintingGateway(await testIssuer(members))
  const get = (headers: Record<string, string> = {}) =>
    request('/.well-known/jwks.json', { as: '', headers })
  const answer = await get()
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/jwk-set+json')
  expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
  const etag = answer.headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[\w-]{43}"$/)
  const text = await answer.text()
  for (const secret of privateTexts(members)) expect(text).not.toContain(secret)
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await get({ 'if-none-match': known })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
  }
  expect((await get({ 'if-none-match': '"other"' })).status).toBe(200)
})

test('a verifier elsewhere follows ten rotations by the key set alone', async () => {
  let version = members
  const issuer = await testIssuer(version)
  const { gateway, mint } = mintingGateway(issuer)
  const server = Bun.serve({
    ...{ hostname: '127.0.0.1', port: 0 },
    fetch: (request, listener) => gateway.fetch(request, listener),
  })
  servers.push(server)
  // Without a cool-down an unknown key would be fetched anew, and hide one published too late.
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', server.url), {
    ...{ cooldownDuration: 3_600_000, cacheMaxAge: 3_600_000 },
  })
  const options = { issuer: localName, audience, currentDate: clock.now() }
  let before: string | undefined
  for (let round = 0; round < 10; round += 1) {
    const { token } = minted.parse(await (await mint()).json())
    for (const each of [token, ...(before === undefined ? [] : [before])]) {
      expect((await jwtVerify(each, keys, options)).payload.sub).toBe('nightly')
    }
    before = token
    version = await succeedIssuerKeys(version)
    await issuer.adopt(version)
    const next = minted.parse(await (await mint()).json())
    // By the set of the version before: what the next one signs with stands in it.
    expect((await jwtVerify(next.token, keys, options)).payload.jti).toBe(next.token_id)
    await keys.reload()
  }
})
