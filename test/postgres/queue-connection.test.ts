import { beforeAll, expect, test } from 'bun:test'
import pg from 'pg'
import { queueConnectionString } from '#core/postgres/database-url.ts'
import { type Certificates, certificates } from '#test/support/certificates.ts'
import { startPostgres } from '#test/support/postgres-server.ts'

let files: Certificates

beforeAll(async () => {
  files = await certificates()
})

/** What the driver of BullMQ's Postgres backend says to a server with this certificate. */
async function ask(name: 'good' | 'foreign' | 'wrongHost' | 'expired', host: string) {
  const server = await startPostgres({ tls: files[name] })
  const url = server.url.replace('127.0.0.1', host)
  const client = new pg.Client({
    connectionString: queueConnectionString({ url, caFile: files.caFile, mode: 'production' }),
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    await client.end()
    return rows
  } finally {
    await server.stop('immediate')
  }
}

test.each([
  ['foreign', '127.0.0.1', /certificate/],
  ['wrongHost', '127.0.0.1', /altname/i],
  ['wrongHost', 'localhost', /altname/i],
  ['expired', '127.0.0.1', /expired/i],
] as const)('a queue database with a %s certificate is refused at %s', async (name, host, why) => {
  await expect(ask(name, host)).rejects.toThrow(why)
})

test.each([['127.0.0.1'], ['localhost']])('a good certificate for %s is served', async (host) => {
  expect(await ask('good', host)).toEqual([{ ssl: true }])
})

test('production without TLS is refused before anything is sent', () => {
  const url = 'postgres://postern@127.0.0.1:1/postern?sslmode=disable'
  expect(() => queueConnectionString({ url, mode: 'production' })).toThrow(/sslmode=disable/)
})
