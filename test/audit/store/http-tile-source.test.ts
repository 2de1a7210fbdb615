import { afterAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import { httpTileSource } from '#core/audit/store/http-tile-source.ts'
import { SourceUnreachable } from '#core/audit/store/tile-source.ts'
import { encodeBundle } from '#core/audit/tree/tile.ts'
import { certificates } from '#test/support/certificates.ts'

const folder = await mkdtemp(join(tmpdir(), 'postern-http-source-'))
const bundle = encodeBundle([new Uint8Array(400).fill(97)])
const mebibyte = 1_048_576

/** How often each path was asked for. */
const asked = new Map<string, number>()

/** What a web server with `gzip_static` does, and at some paths what a bad one does. */
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const path = new URL(request.url).pathname.replace('/audit/', '')
    const count = (asked.get(path) ?? 0) + 1
    asked.set(path, count)
    const status = (code: number) => new Response(null, { status: code })
    switch (path) {
      case 'checkpoint':
        return new Response(request.headers.get('authorization') ?? 'none')
      case 'tile/0/001':
        return count < 3 ? status(503) : new Response('at last')
      case 'tile/0/002':
        return status(500)
      case 'tile/0/003':
        return Response.redirect('/audit/checkpoint')
      case 'tile/0/004':
        return new Response(new Uint8Array(17 * mebibyte))
      case 'tile/0/005':
        return status(403)
      case 'tile/0/006':
        return status(410)
      case 'tile/0/007':
        return new Response('{}', { headers: { 'content-encoding': 'br' } })
      case 'tile/0/008':
        return new Response(Bun.gzipSync(new Uint8Array(64 * mebibyte)), {
          headers: { 'content-encoding': 'gzip' },
        })
    }
    const packed = Bun.file(join(folder, `${path}.gz`))
    const file = Bun.file(join(folder, path))
    if (await packed.exists()) {
      return new Response(packed, { headers: { 'content-encoding': 'gzip' } })
    }
    return (await file.exists()) ? new Response(file) : status(404)
  },
})
/** Answers with the head and half of the body, and then closes (`/cut`) or says no more (`/hang`). */
const halting = createServer((socket) => {
  socket.on('error', () => socket.destroy())
  socket.once('data', (request) => {
    const half = `HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n${'x'.repeat(32)}`
    if (request.toString().includes('/hang/')) socket.write(half)
    else socket.end(half)
  })
})
await new Promise<void>((resolve) => halting.listen(0, '127.0.0.1', resolve))
afterAll(async () => {
  await server.stop(true)
  halting.close()
  await rm(folder, { recursive: true, force: true })
})

const source = httpTileSource(`http://127.0.0.1:${server.port}/audit`, { token: 'abc' })
const text = new TextEncoder()

test('a published directory is read, bundles unpacked, and what is missing is missing', async () => {
  const store = await openFileTileStore(folder)
  await store.writeOnce('tile/entries/000.p/1', bundle)
  await store.writeOnce('tile/0/000.p/1', new Uint8Array(32).fill(7))
  expect(await source.read('tile/entries/000.p/1')).toEqual(bundle)
  expect(await source.read('tile/0/000.p/1')).toEqual(new Uint8Array(32).fill(7))
  expect(await source.read('tile/0/000')).toBeUndefined()
  expect(await source.read('tile/0/006')).toBeUndefined()
})

test('the token is sent as a bearer token', async () => {
  expect(await source.read('checkpoint')).toEqual(text.encode('Bearer abc'))
})

test('what passes is tried again', async () => {
  expect(await source.read('tile/0/001')).toEqual(text.encode('at last'))
})

test.each([
  ['a server error', 'tile/0/002', 3],
  ['a redirect', 'tile/0/003', 1],
  ['an object of 17 MiB', 'tile/0/004', 1],
  ['a refusal', 'tile/0/005', 1],
  ['a packing that was not asked for', 'tile/0/007', 1],
])('%s cannot be read, which is not the same as missing', async (_, path, tries) => {
  await expect(source.read(path)).rejects.toBeInstanceOf(SourceUnreachable)
  expect(asked.get(path)).toBe(tries)
})

test('what unpacks to 64 MiB is not unpacked', async () => {
  const bytes = await source.read('tile/0/008')
  expect(bytes?.length).toBeLessThan(mebibyte)
})

test.each(['cut', 'hang'])('an object whose second half does not come: %s', async (kind) => {
  const address = halting.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const broken = httpTileSource(`http://127.0.0.1:${port}/${kind}/`, { objectMs: 200 })
  await expect(broken.read('tile/0/000.p/2')).rejects.toBeInstanceOf(SourceUnreachable)
})

test('a server that is away cannot be read', async () => {
  const away = httpTileSource('http://127.0.0.1:1/audit')
  await expect(away.read('checkpoint')).rejects.toBeInstanceOf(SourceUnreachable)
})

test.each(['good', 'foreign', 'wrongHost', 'expired'] as const)(
  'over TLS a server with the certificate %p is believed only if it is good and its authority named',
  async (name) => {
    const made = await certificates()
    const ca = await Bun.file(made.caFile).text()
    const tls = { cert: Bun.file(made[name].certificateFile), key: Bun.file(made[name].keyFile) }
    const secure = Bun.serve({ port: 0, tls, fetch: () => new Response('note') })
    const prefix = `https://127.0.0.1:${secure.port}/`
    const trusting = httpTileSource(prefix, { ca }).read('checkpoint')
    if (name === 'good') {
      expect(await trusting).toEqual(text.encode('note'))
      const strange = httpTileSource(prefix).read('checkpoint')
      await expect(strange).rejects.toBeInstanceOf(SourceUnreachable)
    } else await expect(trusting).rejects.toBeInstanceOf(SourceUnreachable)
    await secure.stop(true)
  },
)
