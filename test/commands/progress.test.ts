import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { posternCommand } from '#test/support/postern-command.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { access, issuerAt } from './doctor-world.ts'
import { runPostern } from './run-postern.ts'
import { openTerminal } from './terminal.ts'

setDefaultTimeout(60_000)

/** 'post' in ASCII: what a migrator holds. */
const migrationLockKey = 0x706f_7374

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-progress-'))
})
afterAll(() => rm(folder, { recursive: true }))

const atTerminal = (args: readonly string[], settings: Readonly<Record<string, string>>) =>
  openTerminal([...posternCommand, ...args], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', TERM: 'xterm', ...settings },
  })

test('a migration that waits says for what on a terminal, and nothing in a pipe', async () => {
  const url = await (await sharedPostgres()).createDatabase()
  const settings = { POSTERN_MODE: 'development', POSTERN_DATABASE_URL: url }
  const sql = postgres(url, { max: 1 })
  await sql`select pg_advisory_lock(${migrationLockKey})`
  const terminal = atTerminal(['migrate'], settings)
  await terminal.shown(/waiting for the lock of migrations …/)
  const piped = runPostern(['migrate'], { folder, settings })
  await sql`select pg_advisory_unlock(${migrationLockKey})`
  await terminal.shown(/applied 0001-jobs|up to date/)
  expect(await piped).toMatchObject({ code: 0, error: '' })
  await terminal.close()
  await sql.end()
})

test('a doctor that is kept waiting says so on a terminal, and nothing in a pipe', async () => {
  using mute = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
  const issuers = [issuerAt(`http://127.0.0.1:${mute.port}/jwks.json`)]
  await writeFile(join(folder, 'access.json'), JSON.stringify({ ...access, issuers }))
  const settings = { POSTERN_MODE: 'development', POSTERN_ACCESS_FILE: 'access.json' }
  const terminal = atTerminal(['doctor'], settings)
  await terminal.shown(/asking …/)
  await terminal.shown(/checks failed/)
  await terminal.close()
  const { out, error } = await runPostern(['doctor'], { folder, settings })
  expect(error).toBe('')
  expect(out).not.toContain('\u001b')
})
