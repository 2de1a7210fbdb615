import { expect, test } from 'bun:test'
import { gunzipSync } from 'node:zlib'
import { memoryGateway, outsideAddress, problemIn } from './memory-gateway.ts'

const { request } = memoryGateway()
const open = (path: string, headers: Record<string, string> = {}) =>
  request(path, { as: '', headers })

async function scriptPath(): Promise<string> {
  const [, path] = /<script src="([^"]+)">/.exec(await (await open('/docs')).text()) ?? []
  if (path === undefined) throw new Error('the page names no script')
  return path
}

test('the reference is refused outside the zone of the document that it shows', async () => {
  for (const path of ['/docs', await scriptPath()]) {
    const response = await request(path, { as: '', address: outsideAddress })
    expect((await problemIn(response)).code).toBe('access.address_refused')
  }
})

test.each(['scalar-0000000000000000.js', 'scalar.js', 'index.js', '..'])(
  '/docs/%s is no script of ours',
  async (file) => {
    expect((await problemIn(await open(`/docs/${file}`))).code).toBe('route.not_found')
  },
)

test('the page may run our script, ask our server and do nothing else', async () => {
  const { headers } = await open('/docs')
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(headers.get('content-security-policy')?.split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'unsafe-inline'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ])
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('cache-control')).toBe('no-store')
})

test('the script may be kept for ever, because its name changes with its content', async () => {
  const path = await scriptPath()
  const response = await open(path)
  const bytes = await response.bytes()
  const hash = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
  expect(path).toBe(`/docs/scalar-${hash.slice(0, 16)}.js`)
  expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
})

test.each([
  ['gzip, deflate, br', true],
  ['br;q=1, GZIP;q=0.5', true],
  ['gzip;q=0', false],
  ['gzip;q=0.0, identity', false],
  ['x-gzip', false],
  ['identity', false],
])('whoever accepts "%s" gets it packed: %p', async (accepted, isPacked) => {
  const path = await scriptPath()
  const plain = await (await open(path)).bytes()
  const response = await open(path, { 'accept-encoding': accepted })
  expect(response.headers.get('vary')).toBe('accept-encoding')
  expect(response.headers.get('content-encoding')).toBe(isPacked ? 'gzip' : null)
  const bytes = await response.bytes()
  expect(Bun.hash(isPacked ? gunzipSync(bytes) : bytes)).toBe(Bun.hash(plain))
})
