import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createConnection, createServer } from 'node:net'
import { databaseOutage } from '#core/postgres/outage.ts'
import { type Certificates, certificates } from '#test/support/certificates.ts'
import { eventually } from '../integration/world.ts'
import { connect, endPools, portOf, recovered, refusalOf, start } from './pools.ts'

let files: Certificates

beforeAll(async () => {
  files = await certificates()
})

afterAll(endPools)

test.each([['require'], ['prefer'], ['allow'], ['verify-ca'], ['disable']])(
  'production refuses sslmode=%s before anything is sent',
  (mode) => {
    const url = `postgres://postern@127.0.0.1:1/postern?sslmode=${mode}`
    expect(() => connect({ url, mode: 'production' })).toThrow(
      /POSTERN_DATABASE_URL: sslmode=.* use sslmode=verify-full/,
    )
  },
)

test.each([['require'], ['prefer']])(
  'development refuses sslmode=%s too, which promises what it does not hold',
  (mode) => {
    const url = `postgres://postern@127.0.0.1:1/postern?sslmode=${mode}`
    expect(() => connect({ url })).toThrow(/sslmode=/)
  },
)

test.each([
  ['not a URL', /not a URL/],
  ['mysql://host/db', /not a URL/],
  ['postgres://u@h/d?sslrootcert=/etc/ca', /POSTERN_DATABASE_CA_FILE/],
])('the database URL %p is refused with its fix', (url, problem) => {
  expect(() => connect({ url })).toThrow(problem)
})

test('a certificate authority that cannot be read is named by its variable', () => {
  const url = 'postgres://postern@127.0.0.1:1/postern'
  expect(() => connect({ url, mode: 'production', caFile: '/nowhere/ca.crt' })).toThrow(
    'POSTERN_DATABASE_CA_FILE: cannot be read (ENOENT)',
  )
})

test('a server without TLS is refused in production', async () => {
  const server = await start()
  const sql = connect({ url: server.url, mode: 'production', caFile: files.caFile })
  expect(await refusalOf(sql)).toContain('does not offer TLS')
})

test.each([
  ['foreign', '127.0.0.1', /certificate/],
  ['wrongHost', '127.0.0.1', /ALTNAME|altname/],
  ['wrongHost', 'localhost', /ALTNAME|altname/],
  ['expired', '127.0.0.1', /expired/i],
] as const)('a database with a %s certificate is refused at %s', async (name, host, reason) => {
  const server = await start({ tls: files[name] })
  const url = server.url.replace('127.0.0.1', host)
  const sql = connect({ url, mode: 'production', caFile: files.caFile })
  expect(await refusalOf(sql)).toMatch(reason)
})

test('a good certificate is refused while its authority is not trusted', async () => {
  const server = await start({ tls: files.good })
  expect(await refusalOf(connect({ url: server.url, mode: 'production' }))).toMatch(/certificate/)
})

test.each([['127.0.0.1'], ['localhost']])('a good certificate for %s is served', async (host) => {
  const server = await start({ tls: files.good })
  const url = server.url.replace('127.0.0.1', host)
  const sql = connect({ url, mode: 'production', caFile: files.caFile })
  const [row] = await sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`
  expect(row).toEqual({ ssl: true })
})

test('while the server is down every query fails, and it works again without a restart', async () => {
  const server = await start()
  const sql = connect({ url: server.url })
  expect(await refusalOf(sql)).toBeUndefined()
  await server.stop('fast')
  // A connection that the server has closed is found so in a turn of its own.
  await eventually(async () => (await refusalOf(sql))?.includes('ECONNREFUSED'))
  const many = await Promise.all(Array.from({ length: 100 }, () => refusalOf(sql)))
  expect(new Set(many)).toEqual(new Set([expect.stringContaining('ECONNREFUSED')]))
  await server.start()
  await recovered(sql)
  const together = await Promise.all(Array.from({ length: 20 }, () => refusalOf(sql)))
  expect(together.every((reason) => reason === undefined)).toBe(true)
})

test('statements that a crash interrupts are rejected, and so are those behind them', async () => {
  const server = await start()
  const sql = connect({ url: server.url, max: 2 })
  expect(await refusalOf(sql)).toBeUndefined()
  const waiting = Array.from({ length: 20 }, () =>
    sql`select pg_sleep(60)`.then(() => 'done', databaseOutage),
  )
  await server.stop('immediate')
  for (const fate of await Promise.all(waiting)) {
    expect(fate).toMatchObject({ code: 'database.unavailable' })
  }
  await server.start()
  await recovered(sql)
})

test('a server that is frozen loses its connections and its callers fail at once', async () => {
  const server = await start()
  const sql = connect({ url: server.url, statementTimeoutMs: 1_000 })
  await Promise.all(Array.from({ length: 4 }, () => sql`select pg_sleep(0.05)`))
  await server.pause()
  const first = await Promise.all(Array.from({ length: 12 }, () => refusalOf(sql)))
  expect(first.every((reason) => reason !== undefined)).toBe(true)
  await server.resume()
  await recovered(sql)
})

test('a statement over its limit is an outage, a wrong statement is not', async () => {
  const server = await start()
  const sql = connect({ url: server.url, statementTimeoutMs: 50 })
  const slow = await sql`select pg_sleep(5)`.catch((error: unknown) => error)
  expect(databaseOutage(slow)).toMatchObject({ reason: '57014' })
  const wrong = await connect({ url: server.url })`select 1 / 0`.catch((error: unknown) => error)
  expect(databaseOutage(wrong)).toBeUndefined()
})

test('a connection lost right after its handshake rejects the query and nothing else', async () => {
  const server = await start()
  const proxy = createServer((socket) => {
    const upstream = createConnection({ host: '127.0.0.1', port: server.port })
    let sent = 0
    // Lets the startup message through, and cuts at whatever the client says next.
    socket.on('data', (bytes) => (sent++ === 0 ? upstream.write(bytes) : socket.destroy()))
    upstream.on('data', (bytes) => socket.write(bytes))
    for (const end of [socket, upstream]) end.on('error', () => undefined)
    socket.on('close', () => upstream.destroy())
  })
  const unhandled: unknown[] = []
  const keep = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', keep)
  const sql = connect({ url: `postgres://postern@127.0.0.1:${await portOf(proxy)}/postern` })
  expect(await refusalOf(sql)).toBeDefined()
  await sql.end({ timeout: 1 })
  process.off('unhandledRejection', keep)
  proxy.close()
  expect(unhandled).toEqual([])
})

test('arrays of text and ids come back as they went in', async () => {
  const sql = connect({ url: (await start()).url })
  const texts = ['', 'a,b', '{}', 'NULL', '"\\\n', 'ü']
  const ids = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
  const [row] = await sql`select ${texts}::text[] as texts, ${ids}::uuid[] as ids,
    ${[]}::text[] as none, array['a', null] as holed`
  expect(row).toEqual({ texts, ids, none: [], holed: ['a', null] })
})

test('a proxy that accepts and hangs up rejects every query', async () => {
  const proxy = createServer((socket) => socket.end())
  const sql = connect({ url: `postgres://postern@127.0.0.1:${await portOf(proxy)}/postern` })
  const reasons = await Promise.all(Array.from({ length: 30 }, () => refusalOf(sql)))
  expect(reasons.every((reason) => reason?.includes('hung up'))).toBe(true)
  proxy.close()
})
