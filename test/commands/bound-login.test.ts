import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { posternCommand } from '#test/support/postern-command.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { freePort } from '#test/support/server-process.ts'
import { runPostern } from './run-postern.ts'

setDefaultTimeout(60_000)

const readyMsMax = 30_000

const access = {
  zones: { v1: [], internal: [], probe: ['127.0.0.1/32'] },
  trustedProxies: { header: 'x-forwarded-for', proxies: [] },
  issuers: [],
  limits: { default: { perSecond: 1, burst: 1 } },
  callbackPrefixes: [],
}

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-bound-'))
  await writeFile(join(folder, 'access.json'), JSON.stringify(access))
})

afterAll(() => rm(folder, { recursive: true }))

async function untilReady(port: number): Promise<void> {
  const deadline = performance.now() + readyMsMax
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (answer?.ok === true) return
    if (performance.now() > deadline) throw new Error(`not ready in ${readyMsMax} ms`)
    await Bun.sleep(50)
  }
}

test('with a login that may do nothing itself all processes serve, on Postgres queues too', async () => {
  const owned = await (await sharedPostgres()).createDatabase()
  const [port, probePort] = [await freePort(), await freePort()]
  const settings = {
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'debug',
    POSTERN_QUEUE: 'postgres',
    POSTERN_DATABASE_URL: owned,
    POSTERN_ACCESS_FILE: 'access.json',
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(port),
    POSTERN_PROBE_PORT: String(probePort),
  }
  expect((await runPostern(['migrate'], { folder, settings })).code).toBe(0)
  const sql = postgres(owned, { max: 1 })
  await sql`create role bound_login noinherit login in role postern_gateway, postern_worker,
    postern_sequencer`
  const url = owned.replace('//postern@', '//bound_login@')
  const child = Bun.spawn([...posternCommand, 'run'], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', ...settings, POSTERN_DATABASE_URL: url },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  try {
    // A worker is ready once a canary job has come through the queue.
    await Promise.all([untilReady(port), untilReady(probePort)])
    const [row] = await sql`select count(*)::integer as started from postern_audit_intake
      where convert_from(body, 'UTF8')::jsonb ->> 'type' = 'process.started'`
    expect(row?.['started']).toBeGreaterThanOrEqual(2)
  } finally {
    child.kill('SIGTERM')
  }
  const [code, text] = [await child.exited, (await said).join('')]
  // With what they have said, where they did not end well.
  expect([code, code === 0 ? '' : text]).toEqual([0, ''])
  expect(text).not.toMatch(/permission denied|42501/)
  await sql.end()
})
