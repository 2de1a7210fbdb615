import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(30_000)

const issuer = 'https://id.example'
const access = {
  zones: { v1: [], internal: [], probe: [] },
  trustedProxies: { header: 'x-forwarded-for', proxies: [] },
  issuers: [
    {
      ...{ issuer, audiences: ['postern'], algorithms: ['ES256'], scopes: [] },
      keys: { jwksUrl: 'https://id.example/keys' },
    },
  ],
  limits: { default: { perSecond: 1, burst: 1 } },
  callbackPrefixes: [],
}

let folder: string
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-revoke-'))
  await writeFile(join(folder, 'access.json'), JSON.stringify(access))
  url = await (await sharedPostgres()).createDatabase()
  await postern(['migrate'])
})
afterAll(() => rm(folder, { recursive: true }))

function postern(args: readonly string[]) {
  const settings = {
    POSTERN_MODE: 'development',
    POSTERN_DATABASE_URL: url,
    POSTERN_ACCESS_FILE: 'access.json',
    POSTERN_QUEUE: 'postgres',
  }
  return runPostern(args, { folder, settings })
}

test.each([
  [
    'https://id.exmaple',
    'warning: https://id.exmaple is no issuer of the access file; look at the spelling\n',
  ],
  [issuer, ''],
])('a token of %s is revoked, and a misspelt issuer is pointed out', async (of, error) => {
  const args = ['--issuer', of, '--jti', 'token-1', '--reason', 'leaked']
  expect(await postern(['revoke', ...args])).toEqual({
    code: 0,
    out: `revoked jti token-1 of ${of}\n`,
    error,
  })
})
