import { afterAll, expect, test } from 'bun:test'
import { httpTileSource } from '#core/audit/store/http-tile-source.ts'
import { SourceUnreachable } from '#core/audit/store/tile-source.ts'

let failures = 0
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const { pathname } = new URL(request.url)
    switch (pathname) {
      case '/audit/checkpoint':
        return new Response(request.headers.get('authorization') ?? 'none')
      case '/audit/tile/entries/000':
        return new Response(Bun.gzipSync(Buffer.from('packed')), {
          headers: { 'content-encoding': 'gzip' },
        })
      case '/audit/tile/0/001':
        failures += 1
        return failures < 3 ? new Response(null, { status: 503 }) : new Response('at last')
      case '/audit/tile/0/002':
        return new Response(null, { status: 500 })
      case '/audit/tile/0/003':
        return Response.redirect('/audit/checkpoint')
      case '/audit/tile/0/004':
        return new Response(new Uint8Array(17 * 1_048_576))
      case '/audit/tile/0/005':
        return new Response(null, { status: 403 })
      default:
        return new Response(null, { status: 404 })
    }
  },
})
afterAll(() => server.stop(true))
const prefix = `http://127.0.0.1:${server.port}/audit`
const source = httpTileSource(prefix, { token: 'abc' })

test('objects are read with the token, packed or not, and a missing one is missing', async () => {
  expect(await source.read('checkpoint')).toEqual(new TextEncoder().encode('Bearer abc'))
  expect(await source.read('tile/entries/000')).toEqual(new TextEncoder().encode('packed'))
  expect(await source.read('tile/0/009')).toBeUndefined()
})

test('what passes is tried again', async () => {
  expect(await source.read('tile/0/001')).toEqual(new TextEncoder().encode('at last'))
})

test.each(['tile/0/002', 'tile/0/003', 'tile/0/004', 'tile/0/005'])(
  '%s cannot be read, which is not the same as missing',
  async (path) => {
    await expect(source.read(path)).rejects.toBeInstanceOf(SourceUnreachable)
  },
)

test('a server that is away cannot be read', async () => {
  const away = httpTileSource('http://127.0.0.1:1/audit')
  await expect(away.read('checkpoint')).rejects.toBeInstanceOf(SourceUnreachable)
})
