import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { challengedResource } from '#core/secret/azure/azure-challenge.ts'
import { azureManagedIdentity } from '#core/secret/azure/azure-login.ts'
import { azureSecretStore } from '#core/secret/azure/azure-secret-store.ts'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type AzureDouble, azureDouble } from '../doubles/azure-double.ts'
import type { Fault } from '../doubles/fault-server.ts'
import { putAzureSecret } from './azure-by-hand.ts'
import { freshName, rotation } from './store-contract.ts'

let double: AzureDouble
beforeAll(() => {
  double = azureDouble()
})
afterEach(() => {
  double.clear()
  double.challenge(undefined)
  double.leadTo(undefined)
})
afterAll(() => double.stop())

function open(): SecretStore {
  return azureSecretStore({
    vaultUrl: double.url,
    login: azureManagedIdentity({ host: double.url }),
  })
}
async function failure(work: Promise<unknown>): Promise<{ code?: string; reason?: string }> {
  return await work.then(
    () => ({}),
    (error: { code: string; reason: string }) => error,
  )
}

test.each([
  ['https://v.vault.azure.net', 'https://vault.azure.net', true],
  ['https://v.vault.azure.cn', 'https://vault.azure.cn', true],
  ['https://v.vault.azure.net', 'https://v.vault.azure.net', true],
  ['https://v.vault.azure.net', 'https://w.vault.azure.net', false],
  ['https://v.vault.azure.net', 'https://ault.azure.net', false],
  ['https://v.vault.azure.net', 'https://net', false],
  ['https://v.vault.azure.net', 'http://vault.azure.net', false],
  ['https://v.vault.azure.net', 'https://vault.azure.net.example.com', false],
  ['https://vault.azure.net.example.com', 'https://vault.azure.net', false],
])('to the vault %s a token for %s may go: %p', (vault, resource, isIts) => {
  for (const text of [
    `resource="${resource}"`,
    `resource=${resource}`,
    `scope="${resource}/.default"`,
  ]) {
    const challenge = `Bearer authorization="https://login.windows.net/x", ${text}`
    const headers = new Headers({ 'www-authenticate': challenge })
    const ask = () => challengedResource(headers, new URL(vault))
    if (isIts) expect(ask()).toBe(resource)
    else expect(ask).toThrow('another domain')
  }
})

test('a vault that asks for a foreign token only later gets none either', async () => {
  const store = open()
  await store.check()
  double.challenge('https://management.azure.com')
  double.expireTokens()
  double.clear()
  expect((await failure(store.check())).reason).toContain('asks for a token of another domain')
  expect(double.requests).toEqual(['GET /secrets'])
})

test.each([
  'http://vault.azure.net',
  'http://10.0.0.1',
  'ftp://127.0.0.1',
  'https://a:b@v.vault.azure.net',
  'https://v.vault.azure.net/secrets',
  'https://v.vault.azure.net/?x=1',
  'v.vault.azure.net',
  '',
])('no vault is opened at %p', (vaultUrl) => {
  expect(() => azureSecretStore({ vaultUrl, login: azureManagedIdentity() })).toThrow(
    'the vault URL is not https://<host>',
  )
})

test.each([
  'https://vault.azure.net',
  'https://management.azure.com',
  'https://0.0.1',
  'https://evil.127.0.0.1.example',
  'http://vault.azure.net',
  'javascript:1',
  'nonsense',
])('a vault that asks for a token of %s gets none, nor is one made', async (resource) => {
  double.challenge(resource)
  const { code, reason } = await failure(open().check())
  expect(code).toBe('secret.unavailable')
  expect(reason).toContain('asks for a token of another domain')
  expect(double.requests).toEqual(['GET /secrets'])
})

test('no token is made where the vault does not ask for one', async () => {
  const answers: readonly Fault[] = [
    { kind: 'answer', status: 200, body: '{"value":[]}' },
    { kind: 'answer', status: 401 },
    { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
  ]
  for (const answer of answers) {
    double.clear()
    double.strike(answer)
    expect((await failure(open().check())).code).toBe('secret.unavailable')
    expect(double.requests).toEqual(['GET /secrets'])
  }
})

test('a vault that goes on refusing is an outage after one new login', async () => {
  const name = freshName()
  const store = open()
  const first = await store.stage(name, { members: { url: 'one' }, rotation: rotation() })
  double.clear()
  const isMeant = ({ headers }: Request) => headers.has('authorization')
  double.strike({ kind: 'answer', status: 401 }, { times: 9, isMeant })
  const { code, reason } = await failure(store.read(name, first))
  expect(code).toBe('secret.unavailable')
  expect(reason).toContain('refuses the token')
  expect(double.requests).toEqual([
    `GET /secrets/${encodeSecretName(name)}/${first}`,
    'GET /metadata/identity/oauth2/token',
    `GET /secrets/${encodeSecretName(name)}/${first}`,
  ])
})

test('a list that leads to another host is an outage, and that host hears nothing', async () => {
  const other = azureDouble()
  const name = freshName()
  const store = open()
  const byHand = { vaultUrl: double.url, token: double.issueToken() }
  for (let index = 0; index < 26; index += 1) await putAzureSecret(byHand, name, { url: 'x' })
  for (const origin of [
    other.url,
    'http://localhost:1',
    'https://127.0.0.1',
    'http://127.0.0.1:1',
  ]) {
    double.leadTo(origin)
    const { code, reason } = await failure(store.versions(name))
    expect(code).toBe('secret.unavailable')
    expect(reason).toContain('leads elsewhere')
  }
  expect(other.requests).toEqual([])
  await other.stop()
})
