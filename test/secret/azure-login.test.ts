import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { azureManagedIdentity, azureWorkloadIdentity } from '#core/secret/azure/azure-login.ts'
import { azureSecretStore } from '#core/secret/azure/azure-secret-store.ts'
import { azureTokens } from '#core/secret/azure/azure-tokens.ts'
import { type AzureDouble, azureDouble } from '../doubles/azure-double.ts'
import { knownClient } from '../doubles/azure-login-double.ts'
import type { Fault } from '../doubles/fault-server.ts'
import { canary } from './store-contract.ts'

let double: AzureDouble
let folder: string
let tokenFile: string
beforeAll(async () => {
  double = azureDouble()
  folder = await mkdtemp(join(tmpdir(), 'postern-azure-'))
  tokenFile = join(folder, 'token')
  await writeFile(tokenFile, `${knownClient.assertion}\n`)
})
afterEach(() => double.clear())
afterAll(async () => {
  await double.stop()
  await rm(folder, { recursive: true })
})

const { clientId, tenantId } = knownClient
const workload = (changed: { clientId?: string; tokenFile?: string } = {}) =>
  azureWorkloadIdentity({
    ...{ tenantId, clientId, tokenFile },
    authorityHost: double.url,
    ...changed,
  })
const machine = () => azureManagedIdentity({ host: double.url })
const tokenRequests = () => double.requests.filter((line) => line.includes('oauth2'))

async function failure(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test.each(['http://login.example.com', 'login.microsoftonline.com', 'ftp://127.0.0.1'])(
  'the platform’s token goes to no authority at %s',
  (authorityHost) => {
    expect(() => azureWorkloadIdentity({ tenantId, clientId, tokenFile, authorityHost })).toThrow(
      'the authority host is no https URL',
    )
  },
)

test('a machine without an identity is an outage that says so', async () => {
  const login = azureManagedIdentity({ host: double.url, clientId: 'another' })
  expect(await failure(login.login(double.url))).toMatchObject({
    code: 'secret.unavailable',
    reason: 'the metadata service refuses our identity: answered 400',
  })
})

test('a token that Entra does not take is an outage with the vendor’s number, without the token', async () => {
  const login = workload({ clientId: 'another' })
  const error = await failure(login.login(double.url))
  expect(error).toMatchObject({
    code: 'secret.unavailable',
    reason: expect.stringContaining('answered 401 (AADSTS700024)'),
  })
  expect(`${JSON.stringify(error)} ${Bun.inspect(error)}`).not.toContain(knownClient.assertion)
})

test.each([
  ['absent', undefined],
  ['empty', ''],
  ['no token', canary],
  ['longer than any token', `${'x'.repeat(16_000)}.${'x'.repeat(400)}.x`.padEnd(20_000, '.')],
])('a token file that is %s is an outage, and nothing is sent', async (_, content) => {
  const path = join(folder, Bun.randomUUIDv7())
  if (content !== undefined) await writeFile(path, content)
  const error = await failure(workload({ tokenFile: path }).login(double.url))
  expect(error).toMatchObject({
    code: 'secret.unavailable',
    reason: expect.stringContaining(path),
  })
  expect(`${JSON.stringify(error)} ${Bun.inspect(error)}`).not.toContain(canary)
  expect(double.requests).toEqual([])
})

const answers: readonly (readonly [string, Fault])[] = [
  ['torn', { kind: 'torn' }],
  ['empty', { kind: 'answer', status: 200, body: '{}' }],
  [
    'with a token of two lines',
    { kind: 'answer', status: 200, body: `{"access_token":"a\\nb: ${canary}","expires_in":60}` },
  ],
  [
    'with a token that has ended',
    { kind: 'answer', status: 200, body: `{"access_token":"${canary}","expires_in":"0"}` },
  ],
  ['a redirect', { kind: 'answer', status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
  ['410', { kind: 'answer', status: 410, body: canary }],
  ['500', { kind: 'answer', status: 500, body: canary }],
]
test.each(answers)(
  'a login whose answer is %s is an outage without the token',
  async (_, fault) => {
    for (const login of [machine(), workload()]) {
      double.clear()
      // Twice, because the runtime itself asks again whose connection was cut.
      double.strike(fault, { times: 2 })
      const error = await failure(login.login(double.url))
      expect(error).toMatchObject({ code: 'secret.unavailable' })
      expect(`${JSON.stringify(error)} ${Bun.inspect(error)}`).not.toContain(canary)
    }
  },
)

test('a throttled login says when to come back, through the store', async () => {
  const store = azureSecretStore({ vaultUrl: double.url, login: machine() })
  const isMeant = ({ url }: Request) => url.includes('oauth2')
  const headers = { 'retry-after': '23' }
  double.strike({ kind: 'answer', status: 429, headers }, { isMeant })
  expect(await failure(store.check())).toMatchObject({
    code: 'secret.unavailable',
    retryAfterSeconds: 23,
  })
  await store.check()
})

test('workload identity opens the vault, with the token that the file holds by then', async () => {
  const path = join(folder, 'replaced')
  await writeFile(path, 'e30.e30.old')
  const store = azureSecretStore({ vaultUrl: double.url, login: workload({ tokenFile: path }) })
  expect(await failure(store.check())).toMatchObject({ code: 'secret.unavailable' })
  await writeFile(path, knownClient.assertion)
  await store.check()
  expect(double.requests.at(-1)).toBe('GET /secrets')
})

test('a machine with several identities names its own', async () => {
  const login = azureManagedIdentity({ host: double.url, clientId })
  await azureSecretStore({ vaultUrl: double.url, login }).check()
  expect(tokenRequests()).toHaveLength(1)
})

test('twenty questions at once share one login, and twenty more need none', async () => {
  const store = azureSecretStore({ vaultUrl: double.url, login: machine() })
  for (const _ of [1, 2]) await Promise.all(Array.from({ length: 20 }, () => store.check()))
  expect(tokenRequests()).toHaveLength(1)
})

test('when a token is refused to twenty at once, they share one new login', async () => {
  const store = azureSecretStore({ vaultUrl: double.url, login: machine() })
  await store.check()
  double.expireTokens()
  double.clear()
  await Promise.all(Array.from({ length: 20 }, () => store.check()))
  expect(tokenRequests()).toHaveLength(1)
})

test('a token is used until two minutes before its end, a short one for half of its life', async () => {
  let now = 0
  let logins = 0
  let lifetimeMs = 3_600_000
  const login = async () => {
    logins += 1
    return { token: `t${logins}`, lifetimeMs }
  }
  const tokens = azureTokens({ secretZero: 'none', login }, () => now)
  expect(await tokens.token('r')).toBe('t1')
  now = 3_479_999
  expect(await tokens.token('r')).toBe('t1')
  lifetimeMs = 60_000
  now = 3_480_000
  expect(await tokens.token('r')).toBe('t2')
  now += 29_999
  expect(await tokens.token('r')).toBe('t2')
  now += 1
  expect(await tokens.token('r')).toBe('t3')
})

test('a token is for one resource, and one that is held already replaces a refused one', async () => {
  let logins = 0
  const login = async (resource: string) => {
    logins += 1
    return { token: `${resource}${logins}`, lifetimeMs: 3_600_000 }
  }
  const tokens = azureTokens({ secretZero: 'none', login }, () => 0)
  expect(await tokens.token('a')).toBe('a1')
  expect(await tokens.token('b')).toBe('b2')
  expect(await tokens.renew('b', 'a1')).toBe('b2')
  expect(await tokens.renew('b', 'b2')).toBe('b3')
})

test('a login that fails is tried again by the next who asks', async () => {
  let isOut = true
  const login = async () => {
    if (isOut) throw new Error('away')
    return { token: 't', lifetimeMs: 1_000 }
  }
  const tokens = azureTokens({ secretZero: 'none', login }, () => 0)
  await expect(tokens.token('r')).rejects.toThrow('away')
  isOut = false
  expect(await tokens.token('r')).toBe('t')
})
