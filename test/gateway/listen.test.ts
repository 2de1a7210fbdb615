import { afterAll, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { silentLog } from '#core/log.ts'
import { type HttpListener, type ListenerTls, listen } from '#gateway/listen.ts'
import { certificates } from '#test/support/certificates.ts'
import { memoryGateway, problemIn, receiptIn } from './memory-gateway.ts'

const open: HttpListener[] = []
afterAll(async () => {
  for (const listener of open) await listener.stop(100)
})

function start(tls?: ListenerTls) {
  const world = memoryGateway()
  const { gateway } = world
  const listener = listen({ gateway, address: '127.0.0.1', port: 0, tls, log: silentLog() })
  open.push(listener)
  return { ...world, listener, url: listener.url.replace(/\/$/, '') }
}

/** Sends bytes as they are and returns all that comes back until the server closes. */
function exchange(url: string, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let received = ''
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
  socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')))
  socket.on('data', (bytes) => {
    received += bytes
  })
  socket.on('error', reject)
  socket.on('close', () => resolve(received))
  socket.write(text)
  return promise
}

const head = (lines: readonly string[]) => `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`
const host = 'Host: gateway.example'
const token = 'Authorization: Bearer all'

test.each([
  ['two tokens', ['GET /v1/kinds HTTP/1.1', host, token, token], '400'],
  ['two hosts', ['GET /v1/kinds HTTP/1.1', host, 'Host: b.example', token], '400'],
  ['an absolute form', ['GET http://evil.example//internal/queues HTTP/1.1', host, token], '400'],
  ['a climb out of the zone', ['GET /v1/..;/internal/queues HTTP/1.1', host, token], '400'],
  ['an encoded slash', ['GET /v1%2fkinds HTTP/1.1', host, token], '400'],
  ['no host', ['GET /v1/kinds HTTP/1.1', token], '400'],
  ['a proper request', ['GET /v1/kinds HTTP/1.1', host, token], '200'],
])('over the wire, %s is answered with its status', async (_name, lines, status) => {
  const { url } = start()
  expect(await exchange(url, head(lines))).toStartWith(`HTTP/1.1 ${status} `)
})

test('a chunked body past the limit gets a problem, not a cut connection', async () => {
  const { url } = start()
  const chunk = 'x'.repeat(65_536)
  const body = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(5)
  const lines = [
    'POST /v1/jobs/score-wallet HTTP/1.1',
    host,
    token,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
  ]
  const answer = await exchange(url, `${head(lines)}${body}0\r\n\r\n`)
  expect(answer).toStartWith('HTTP/1.1 413 ')
  expect(answer).toContain('"code":"request.body_too_large"')
})

test('a declared body past the limit gets a problem too', async () => {
  const { url } = start()
  const response = await fetch(`${url}/v1/jobs/score-wallet`, {
    method: 'POST',
    headers: { authorization: 'Bearer all', 'content-type': 'application/json' },
    body: 'x'.repeat(262_145),
  })
  expect((await problemIn(response)).code).toBe('request.body_too_large')
})

test.each([
  ['declared', 'Content-Length: 100', '{"payload"'],
  ['chunked', 'Transfer-Encoding: chunked', 'a\r\n{"payload"\r\n'],
])(
  'a caller who leaves in the middle of a %s body is no fault of ours',
  async (_name, length, part) => {
    const { url, lines } = start()
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
    const type = 'Content-Type: application/json'
    const request = ['POST /v1/jobs/score-wallet HTTP/1.1', host, token, type, length]
    socket.write(`${request.join('\r\n')}\r\n\r\n${part}`)
    // The answer to a second request proves that the first has reached its handler.
    await fetch(`${url}/v1/kinds`, { headers: { authorization: 'Bearer all' } })
    socket.destroy()
    const line = () => lines.find(({ fields }) => fields['route'] === '/v1/jobs/score-wallet')
    for (let tries = 0; line() === undefined && tries < 1_000; tries++)
      await fetch(`${url}/healthz`)
    expect(line()?.fields).toMatchObject({
      status: 400,
      code: 'request.malformed',
      reason: 'caller_left',
    })
  },
)

test('a chunked body within the limit is accepted', async () => {
  const { url } = start()
  const response = await fetch(`${url}/v1/jobs/score-wallet`, {
    method: 'POST',
    headers: { authorization: 'Bearer all', 'content-type': 'application/json' },
    body: new Blob(['{"payload":{"wallet":"w1"}}']).stream(),
  })
  expect(response.status).toBe(202)
})

test('a reader that leaves gives its place back; stopping ends the streams that are open', async () => {
  const { url, listener, post } = start()
  const { id } = await receiptIn(await post('/v1/jobs/score-wallet', { payload: { wallet: 'w' } }))
  const headers = { authorization: 'Bearer all' }
  const leaving = new AbortController()
  const left = await Promise.all(
    Array.from({ length: 50 }, () =>
      fetch(`${url}/v1/jobs/${id}/events`, { headers, signal: leaving.signal }),
    ),
  )
  expect(left.map((response) => response.status)).toEqual(Array.from({ length: 50 }, () => 200))
  leaving.abort()
  // The server learns of it when the sockets are closed; each try is a round trip.
  let stream = await fetch(`${url}/v1/jobs/${id}/events`, { headers })
  for (let tries = 0; stream.status !== 200 && tries < 1_000; tries++) {
    stream = await fetch(`${url}/v1/jobs/${id}/events`, { headers })
  }
  expect(stream.status).toBe(200)
  const reading = stream.text()
  await listener.stop(5_000)
  expect(await reading).toContain('"state":"accepted"')
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
})

test('with a client CA, only a certificate that it signed gets through the handshake', async () => {
  const files = await certificates()
  const [certificate, key, ca, foreignCertificate, foreignKey] = await Promise.all(
    [
      files.good.certificateFile,
      files.good.keyFile,
      files.caFile,
      files.foreign.certificateFile,
      files.foreign.keyFile,
    ].map((path) => readFile(path, 'utf8')),
  )
  if (certificate === undefined || key === undefined || ca === undefined)
    throw new Error('no files')
  const { url } = start({ certificate, key, clientCa: ca })
  const ask = (tls: object) => fetch(`${url}/healthz`, { tls: { ca, ...tls } })
  expect(url).toStartWith('https://')
  expect((await ask({ cert: certificate, key })).status).toBe(200)
  await expect(ask({})).rejects.toThrow()
  await expect(ask({ cert: foreignCertificate, key: foreignKey })).rejects.toThrow()
})
