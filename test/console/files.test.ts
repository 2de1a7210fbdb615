import { expect, test } from 'bun:test'
import { gunzipSync } from 'node:zlib'
import { bundleConsole } from '#gateway/bundle-console.ts'
import { consoleRoutes } from '#gateway/routes/console.ts'
import { memoryGateway, problemIn } from '#test/gateway/memory-gateway.ts'

/** Bytes of page, script and style together, not compressed: it is there before one has looked up. */
const bytesMax = 128 * 1_024

const { request, post, records, acts } = memoryGateway({ overrides: { routes: consoleRoutes() } })
const page = () => request('/internal/console', { as: '' })

async function assetPaths(): Promise<string[]> {
  const text = await (await page()).text()
  return [...text.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, path = '']) => path)
}

test('the page needs no token, and no answer of it holds data', async () => {
  const before = records.length
  const response = await page()
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const text = await response.text()
  expect(text).not.toContain('score-wallet')
  // Reads of nobody about nothing are no access to anything.
  expect(records.length).toBe(before)
})

test('the page runs its own two files, in no frame, and sends no form anywhere', async () => {
  const { headers } = await page()
  expect(headers.get('content-security-policy')?.split('; ')).toEqual([
    ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
    ...['img-src data:', "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
  ])
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  })
})

test('nothing in the page is inline', async () => {
  const text = await (await page()).text()
  expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i)
  const scripts = [...text.matchAll(/<script([^>]*)>([^<]*)</g)]
  expect(scripts).toHaveLength(1)
  expect(scripts[0]?.[2]).toBe('')
})

test('assets may be kept for good, because their names change with them', async () => {
  const paths = await assetPaths()
  expect(paths).toHaveLength(2)
  for (const path of paths) {
    expect(path).toMatch(/^\/internal\/console\/console-[0-9a-f]{16}\.(?:js|css)$/)
    const response = await request(path, { as: '' })
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('content-type')).toMatch(
      /^text\/(?:javascript|css); charset=utf-8$/,
    )
  }
})

test('what a browser has already is not sent again', async () => {
  for (const path of ['/internal/console', ...(await assetPaths())]) {
    const etag = (await request(path, { as: '' })).headers.get('etag') ?? ''
    const again = await request(path, { as: '', headers: { 'if-none-match': `"x", ${etag}` } })
    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
    const other = await request(path, { as: '', headers: { 'if-none-match': '"x"' } })
    expect(other.status).toBe(200)
  }
})

test('whoever takes gzip gets the same packed, under a tag of its own', async () => {
  for (const path of ['/internal/console', ...(await assetPaths())]) {
    const plain = await request(path, { as: '' })
    const headers = { 'accept-encoding': 'gzip, br' }
    const packed = await request(path, { as: '', headers })
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(packed.headers.get('vary')).toBe('accept-encoding')
    const etag = packed.headers.get('etag') ?? ''
    expect(etag).not.toBe(plain.headers.get('etag'))
    expect(gunzipSync(await packed.bytes()).toString()).toBe(await plain.text())
    const again = { ...headers, 'if-none-match': etag }
    expect((await request(path, { as: '', headers: again })).status).toBe(304)
  }
})

test.each(['console-0000000000000000.js', '..%2fmain.ts', 'main.tsx', 'console.css.map'])(
  'there is no asset %s',
  async (name) => {
    const response = await request(`/internal/console/${name}`, { as: '' })
    expect((await problemIn(response)).code).toBeOneOf(['route.not_found', 'request.malformed'])
  },
)

test('page, script and style together stay small', async () => {
  const { script, style } = await bundleConsole()
  const html = await (await page()).text()
  expect(Buffer.byteLength(script + style + html)).toBeLessThanOrEqual(bytesMax)
})

test('the script makes no markup of text and knows no store', async () => {
  const { script } = await bundleConsole()
  expect(script).not.toMatch(/localStorage|sessionStorage|indexedDB|document\.cookie|\beval\(/)
  expect(script).not.toMatch(/insertAdjacentHTML|outerHTML|document\.write|new Function/)
})

test.each([
  ['a form', 'application/x-www-form-urlencoded'],
  ['a form in plain text', 'text/plain'],
])('%s of another site does nothing: no cookie stands for a token', async (_name, mediaType) => {
  const headers = {
    ...{ 'content-type': mediaType, cookie: 'token=all; authorization=Bearer all' },
    ...{ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  }
  const answers = [
    await post('/internal/queues/score-wallet/pause', 'token=all', { headers, as: '' }),
    await post('/internal/queues/score-wallet/drain', '', { headers, as: '' }),
  ]
  for (const answer of answers) {
    expect((await problemIn(answer)).code).toBe('auth.token_rejected')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  }
  expect(acts).toEqual([])
  const toPage = await post('/internal/console', 'token=all', { headers, as: '' })
  expect((await problemIn(toPage)).code).toBe('route.method_not_allowed')
})
