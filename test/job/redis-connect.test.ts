import { afterEach, beforeAll, expect, test } from 'bun:test'
import type { Cluster, Redis } from 'ioredis'
import {
  checkRedis,
  connectProducer,
  connectWorker,
  type RedisConnectOptions,
} from '#core/job/redis-connect.ts'
import { type Certificates, certificates } from '#test/support/certificates.ts'
import {
  type RedisServer,
  type RedisServerOptions,
  startRedis,
} from '#test/support/redis-server.ts'

let files: Certificates
let opened: (Redis | Cluster)[] = []
let started: RedisServer[] = []

beforeAll(async () => {
  files = await certificates()
})

afterEach(async () => {
  for (const connection of opened) connection.disconnect()
  await Promise.all(started.map((server) => server.stop('SIGKILL')))
  opened = []
  started = []
})

async function start(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options)
  started.push(server)
  return server
}

function optionsOf(given: Partial<RedisConnectOptions>): RedisConnectOptions {
  return { url: 'redis://127.0.0.1:1', mode: 'development', cluster: false, ...given }
}

function keep<Connection extends Redis | Cluster>(connection: Connection): Connection {
  connection.on('error', () => undefined)
  opened.push(connection)
  return connection
}

function tls(name: 'good' | 'foreign' | 'wrongHost' | 'expired') {
  return start({ tls: { ...files[name], caFile: files.caFile } })
}

test.each([[connectProducer], [connectWorker]])(
  '%p refuses plain Redis in production',
  (connect) => {
    expect(() => connect(optionsOf({ mode: 'production' }))).toThrow(
      /POSTERN_REDIS_URL: redis:\/\//,
    )
  },
)

test.each([
  ['http://host', /not a URL/],
  ['rediss://host/first', /not a number/],
])('the Redis URL %p is refused with its fix', (url, problem) => {
  expect(() => connectProducer(optionsOf({ url }))).toThrow(problem)
})

test('a certificate authority that cannot be read is named by its variable', () => {
  const options = optionsOf({ url: 'rediss://host', caFile: '/nowhere/ca.crt' })
  expect(() => connectProducer(options)).toThrow('POSTERN_REDIS_CA_FILE: cannot be read (ENOENT)')
})

test.each([
  ['foreign', '127.0.0.1', /certificate/],
  ['wrongHost', '127.0.0.1', /altname/i],
  ['wrongHost', 'localhost', /altname/i],
  ['expired', '127.0.0.1', /expired/i],
] as const)('a Redis with a %s certificate is refused at %s', async (name, host, reason) => {
  const server = await tls(name)
  const url = server.url.replace('127.0.0.1', host)
  const connection = keep(
    connectProducer(optionsOf({ url, mode: 'production', caFile: files.caFile })),
  )
  await expect(checkRedis(connection)).rejects.toMatchObject({
    code: 'queue.unavailable',
    reason: expect.stringMatching(reason),
  })
})

test('a good certificate is refused while its authority is not trusted', async () => {
  const server = await tls('good')
  const connection = keep(connectProducer(optionsOf({ url: server.url, mode: 'production' })))
  await expect(checkRedis(connection)).rejects.toMatchObject({ code: 'queue.unavailable' })
})

test.each([['127.0.0.1'], ['localhost']])('a good certificate for %s is served', async (host) => {
  const server = await tls('good')
  const url = server.url.replace('127.0.0.1', host)
  for (const connect of [connectProducer, connectWorker]) {
    const connection = keep(connect(optionsOf({ url, mode: 'production', caFile: files.caFile })))
    expect((await checkRedis(connection)).isPersistent).toBe(false)
  }
})

test('a Redis that would drop jobs when memory is short is refused with the fix', async () => {
  const server = await start({ args: ['--maxmemory-policy', 'allkeys-lru'] })
  const connection = keep(connectProducer(optionsOf({ url: server.url })))
  await expect(checkRedis(connection)).rejects.toThrow(/allkeys-lru .* noeviction/)
})

test('a Redis with an append-only file says that it keeps its queues', async () => {
  const server = await start({ persistence: true })
  const connection = keep(connectProducer(optionsOf({ url: server.url })))
  expect((await checkRedis(connection)).isPersistent).toBe(true)
})

test('a producer fails while Redis is down and works again when it is back', async () => {
  const server = await start()
  const connection = keep(connectProducer(optionsOf({ url: server.url })))
  await checkRedis(connection)
  await server.stop('SIGKILL')
  const failed = await Promise.allSettled(Array.from({ length: 20 }, () => connection.incr('n')))
  expect(failed.every(({ status }) => status === 'rejected')).toBe(true)
  await server.start()
  await checkRedis(connection)
  expect(await connection.incr('n')).toBe(1)
})

test('a worker connection waits for Redis instead of failing', async () => {
  const server = await start()
  const connection = keep(connectWorker(optionsOf({ url: server.url })))
  await checkRedis(connection)
  await server.stop('SIGKILL')
  const asked = connection.incr('n')
  await server.start()
  expect(await asked).toBe(1)
})

test('a producer does not wait for a frozen Redis', async () => {
  const server = await start()
  const connection = keep(connectProducer(optionsOf({ url: server.url })))
  await checkRedis(connection)
  server.pause()
  await expect(connection.incr('n')).rejects.toThrow(/timed out/)
  server.resume()
})
