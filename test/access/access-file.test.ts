import { expect, test } from 'bun:test'
import {
  developmentIssuer,
  parseAccessDocument,
  parseAccessFile,
} from '#core/access/access-file.ts'
import { ConfigError } from '#core/config.ts'
import { accessDocument, openWorld, signingKey } from './world.ts'

const key = await signingKey('EdDSA', 'key-1')
const base = accessDocument({ jwks: { keys: [key.publicJwk] } }, ['EdDSA'])
const [issuer] = base.issuers
if (issuer === undefined) throw new Error('the document of the tests has an issuer')

function problems(document: unknown, mode: 'production' | 'development' = 'production'): string {
  try {
    parseAccessDocument(document, mode)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n')
    throw error
  }
  return ''
}
const withIssuer = (change: object) => ({ ...base, issuers: [{ ...issuer, ...change }] })
const withLimit = (change: object) => ({
  ...base,
  limits: { default: { ...base.limits.default, ...change } },
})

test('the document these cases start from is good in production', () => {
  expect(problems(base)).toBe('')
})

test.each([
  ['a missing list', { ...base, zones: { v1: [], internal: [] } }, 'zones.probe'],
  ['a missing section', { ...base, zones: undefined }, 'zones'],
  ['an unknown zone', { ...base, zones: { ...base.zones, admin: [] } }, 'zones'],
  ['an unknown member', { ...base, allow: '*' }, 'Unrecognized key'],
  [
    'a bad range',
    { ...base, zones: { ...base.zones, v1: ['10.0.0.1/8'] } },
    'zones.v1.0: host bits',
  ],
  ['an issuer without audience', withIssuer({ audiences: [] }), 'issuers.0.audiences'],
  ['an issuer without algorithm', withIssuer({ algorithms: [] }), 'issuers.0.algorithms'],
  ['alg none', withIssuer({ algorithms: ['none'] }), 'issuers.0.algorithms'],
  ['HS256 beside another', withIssuer({ algorithms: ['HS256', 'EdDSA'] }), 'never stands beside'],
  ['HS256 with public keys', withIssuer({ algorithms: ['HS256'] }), 'only HS256'],
  [
    'a secret for a public-key algorithm',
    withIssuer({ keys: { secret: 'secret:a#b', kid: 'k' } }),
    'only HS256',
  ],
  [
    'a literal secret',
    withIssuer({ algorithms: ['HS256'], keys: { secret: 'abc', kid: 'k' } }),
    'keys',
  ],
  ['keys by http', withIssuer({ keys: { jwksUrl: 'http://127.0.0.1/keys' } }), 'must be https'],
  ['a file as key source', withIssuer({ keys: { jwksUrl: 'file:///etc/keys' } }), 'must be https'],
  [
    'a password in a URL',
    withIssuer({ keys: { jwksUrl: 'https://a:b@c.example/' } }),
    'credential',
  ],
  [
    'two key sources',
    withIssuer({ keys: { jwksUrl: 'https://a.example', jwks: { keys: [] } } }),
    'keys',
  ],
  [
    'a private key',
    withIssuer({ keys: { jwks: { keys: [{ ...key.publicJwk, d: 'x' }] } } }),
    'keys',
  ],
  [
    'a key without name',
    withIssuer({ keys: { jwks: { keys: [{ ...key.publicJwk, kid: undefined }] } } }),
    'keys',
  ],
  ['the development issuer', withIssuer({ issuer: developmentIssuer }), 'refused in production'],
  ['an issuer named twice', { ...base, issuers: [issuer, issuer] }, 'stands twice'],
  ['an issuer with white space', withIssuer({ issuer: 'a b' }), 'issuers.0.issuer'],
  ['a limit of nothing', withLimit({ perSecond: 0 }), 'limits.default.perSecond'],
  ['half a request of burst', withLimit({ burst: 0.5 }), 'limits.default.burst'],
  ['a route without method', { ...base, routes: { '/v1/jobs': ['a'] } }, 'routes'],
  ['a route that asks for nothing', { ...base, routes: { 'GET /v1/jobs': [] } }, 'routes'],
  ['a callback by ftp', { ...base, callbackPrefixes: ['ftp://b.example/'] }, 'callbackPrefixes.0'],
  [
    'a callback with a query',
    { ...base, callbackPrefixes: ['https://b.example/?a'] },
    'callbackPrefixes.0',
  ],
  [
    'a callback with a user',
    { ...base, callbackPrefixes: ['https://a@b.example/'] },
    'callbackPrefixes.0',
  ],
  [
    'a callback by http',
    { ...base, callbackPrefixes: ['http://b.example/'] },
    'callbackPrefixes.0',
  ],
  [
    'a header of RFC 7239',
    { ...base, trustedProxies: { header: 'forwarded', proxies: [] } },
    'trustedProxies.header',
  ],
  [
    'a header in capitals',
    { ...base, trustedProxies: { header: 'X-Real-IP', proxies: [] } },
    'trustedProxies.header',
  ],
  [
    'a proxy without addresses',
    {
      ...base,
      trustedProxies: { header: 'x-real-ip', proxies: [{ cidrs: [], allowPort: false }] },
    },
    'trustedProxies.proxies.0.cidrs',
  ],
])('%s refuses the whole file and is named', (_, document, fragment) => {
  expect(problems(JSON.parse(JSON.stringify(document)))).toContain(fragment)
})

test('development takes keys by http from this machine, and from no other', () => {
  const local = withIssuer({
    issuer: developmentIssuer,
    keys: { jwksUrl: 'http://127.0.0.1:1/keys' },
  })
  expect(problems(local, 'development')).toBe('')
  const remote = withIssuer({ keys: { jwksUrl: 'http://issuer.example/keys' } })
  expect(problems(remote, 'development')).toContain('must be https')
})

test.each([
  ['no JSON', '{', 'not JSON'],
  [
    'a member named twice',
    JSON.stringify(base).replace('{"zones"', '{"zones":{},"zones"'),
    'names a member twice',
  ],
  ['more than a mebichar', ' '.repeat(1_048_577), 'longer than'],
])('%s is refused', (_, text, fragment) => {
  expect(() => parseAccessFile(text, 'production')).toThrow(fragment)
})

test('a key that fits none of the algorithms refuses the file', async () => {
  const document = accessDocument({ jwks: { keys: [key.publicJwk] } }, ['ES256'])
  await expect(openWorld({ document })).rejects.toThrow('fits none of its algorithms')
})

test('an RSA key below 2,048 bits refuses the file', async () => {
  const short = Buffer.alloc(128, 255).toString('base64url')
  const weak = { kty: 'RSA', n: short, e: 'AQAB', kid: 'weak' } as const
  const document = accessDocument({ jwks: { keys: [weak] } }, ['RS256'])
  await expect(openWorld({ document })).rejects.toThrow('fits none of its algorithms')
})

test('two keys of one name refuse the file', async () => {
  const other = { ...(await signingKey('EdDSA', 'key-1')).publicJwk }
  const document = accessDocument({ jwks: { keys: [key.publicJwk, other] } }, ['EdDSA'])
  await expect(openWorld({ document })).rejects.toThrow('share a kid')
})

test('an access file that is not there is a configuration error', async () => {
  const opening = openWorld({ file: '/nonexistent/access.json' })
  await expect(opening).rejects.toBeInstanceOf(ConfigError)
})
