import { afterEach, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { certificates } from '#test/support/certificates.ts'
import { freePort } from '#test/support/server-process.ts'
import { askAlive, judge, partOf, probeTargets } from '../../commands/healthcheck.ts'
import { parseConfig } from '../../core/config.ts'

const host = '127.0.0.1'
const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function serve(options: { status?: number; tls?: Bun.TLSOptions }): number {
  const server = Bun.serve({
    hostname: host,
    port: 0,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    fetch: (request) =>
      new Response('', {
        status: new URL(request.url).pathname === '/healthz' ? (options.status ?? 200) : 404,
      }),
  })
  stops.push(() => server.stop(true))
  return server.port ?? 0
}

test.each([403, 404, 500, 503])('a listener that answers %i is not alive', async (status) => {
  const port = serve({ status })
  const answer = await askAlive({ scheme: 'http', host, port })
  expect(answer).toEqual({
    state: 'failing',
    detail: `http://127.0.0.1:${port}/healthz answered ${status}`,
  })
})

test('a redirect is not followed and not alive', async () => {
  const answer = await askAlive({ scheme: 'http', host, port: serve({ status: 302 }) })
  expect(answer.state).toBe('failing')
})

test('a listener that accepts and never answers is given up', async () => {
  const silent = createServer()
  const listening = Promise.withResolvers<void>()
  silent.listen(0, host, listening.resolve)
  await listening.promise
  stops.push(() => silent.close())
  const address = silent.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const answer = await askAlive({ scheme: 'http', host, port })
  expect(answer.state).toBe('failing')
})

test('where nobody listens the process is absent', async () => {
  const answer = await askAlive({ scheme: 'http', host, port: await freePort() })
  expect(answer.state).toBe('absent')
})

test('a plain listener that says 200 is alive', async () => {
  const answer = await askAlive({ scheme: 'http', host, port: serve({}) })
  expect(answer.state).toBe('alive')
})

test.each(['good', 'wrongHost', 'foreign', 'expired'] as const)(
  'a TLS listener is alive whatever its certificate (%s) says',
  async (name) => {
    const { [name]: files } = await certificates()
    const tls = { cert: Bun.file(files.certificateFile), key: Bun.file(files.keyFile) }
    const answer = await askAlive({ scheme: 'https', host, port: serve({ tls }) })
    expect(answer.state).toBe('alive')
  },
)

test('a listener that demands a client certificate is alive: it refused the handshake itself', async () => {
  const { good, caFile } = await certificates()
  const tls = {
    ...{ cert: Bun.file(good.certificateFile), key: Bun.file(good.keyFile) },
    ...{ ca: Bun.file(caFile), requestCert: true, rejectUnauthorized: true },
  }
  const answer = await askAlive({ scheme: 'https', host, port: serve({ tls }) })
  expect(answer.state).toBe('alive')
})

test.each([
  [['alive', 'absent'], true, false],
  [['alive', 'failing'], true, false],
  [['alive', 'failing'], false, false],
  [['absent', 'absent'], false, false],
  [['alive', 'absent'], false, true],
  [['alive', 'alive'], true, true],
] as const)('%j, all needed: %p, is healthy: %p', (states, areAllNeeded, expected) => {
  expect(
    judge(
      states.map((state) => ({ state, detail: '' })),
      areAllNeeded,
    ),
  ).toBe(expected)
})

test.each([
  ['/usr/local/bin/postern\0run\0', 'run'],
  ['/usr/local/bin/postern\0serve\0', 'serve'],
  ['/usr/local/bin/postern\0audit\0sequence\0', 'sequence'],
  ['/sbin/docker-init\0--\0/usr/local/bin/postern\0work\0', 'work'],
  ['/usr/local/bin/postern\0up\0--fresh\0', 'serve'],
  ['/sbin/init\0splash\0', undefined],
  ['', undefined],
] as const)('process 1 %j means %p', (commandLine, expected) => {
  expect(partOf(commandLine)).toBe(expected)
})

test.each([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
  ['10.0.0.7', '10.0.0.7'],
])('a listener on %s is asked at %s', (address, expected) => {
  const config = parseConfig({ POSTERN_LISTEN_ADDRESS: address, POSTERN_LISTEN_PORT: '9000' })
  expect(probeTargets(config, 'serve')).toEqual([{ scheme: 'http', host: expected, port: 9000 }])
})

test('run asks all, work asks its probe port, and TLS is asked for where it is configured', () => {
  const config = parseConfig({
    POSTERN_TLS_CERTIFICATE: 'secret:postern/tls#certificate',
    POSTERN_PROBE_PORT: '9001',
  })
  expect(probeTargets(config, 'run')).toEqual([
    { scheme: 'https', host, port: 8080 },
    { scheme: 'http', host, port: 9001 },
    { scheme: 'http', host, port: 8082 },
  ])
  expect(probeTargets(config, 'sequence')).toEqual([{ scheme: 'http', host, port: 8082 }])
  const laptop = parseConfig({ POSTERN_MODE: 'development' })
  expect(probeTargets(laptop, 'run')).toHaveLength(2)
  expect(probeTargets(config, 'work')).toEqual([{ scheme: 'http', host, port: 9001 }])
})
