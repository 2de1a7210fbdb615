import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { z } from 'zod'
import { azureManagedIdentity } from '#core/secret/azure/azure-login.ts'
import { azureSecretStore } from '#core/secret/azure/azure-secret-store.ts'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type AzureDouble, azureDouble } from '../doubles/azure-double.ts'
import type { Fault } from '../doubles/fault-server.ts'
import { deleteAzureSecret } from './azure-by-hand.ts'
import { canary, freshName, rotation } from './store-contract.ts'

let double: AzureDouble
let store: SecretStore
beforeAll(() => {
  double = azureDouble()
  store = open()
})
afterEach(() => {
  double.clear()
  double.forbid(undefined)
})
afterAll(() => double.stop())

function open(): SecretStore {
  return azureSecretStore({
    vaultUrl: double.url,
    login: azureManagedIdentity({ host: double.url }),
  })
}
const byHand = () => ({ vaultUrl: double.url, token: double.issueToken() })
const stage = (name: string, url: string, id = rotation()) =>
  store.stage(name, { members: { url }, rotation: id })
async function staged() {
  const name = freshName()
  const first = await stage(name, 'one')
  return { name, first, second: await stage(name, 'two') }
}
async function failure(work: Promise<unknown>): Promise<{ code?: string; reason?: string }> {
  return await work.then(
    () => ({}),
    (error: { code: string; reason: string }) => error,
  )
}

test('a list that leads round in a circle is given up', async () => {
  const { name } = await staged()
  const path = `/secrets/${encodeSecretName(name)}/versions`
  const body = JSON.stringify({ value: [], nextLink: `${double.url}${path}?api-version=7.4` })
  double.strike({ kind: 'answer', status: 200, body }, { times: 1_000 })
  expect((await failure(store.versions(name))).reason).toContain('more than 400 pages')
})

test('a permission that lacks is named, whoever is asked', async () => {
  const { name, first, second } = await staged()
  const secret = { members: { url: canary }, rotation: rotation() }
  const asked: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['secrets/get', () => store.read(name, first)],
    ['secrets/list', () => store.check()],
    ['secrets/list', () => store.list()],
    ['secrets/list', () => store.versions(name)],
    ['secrets/list', () => store.currentVersion(name)],
    ['secrets/set', () => store.stage(name, secret)],
    ['secrets/set', () => store.promote(name, { version: second, previous: first })],
    ['secrets/set', () => store.disable(name, first)],
  ]
  for (const [permission, ask] of asked) {
    double.forbid(permission)
    const { code, reason } = await failure(ask())
    expect(code).toBe('secret.unavailable')
    expect(reason).toContain(permission)
  }
  double.forbid('secrets/get', 'ForbiddenByFirewall')
  expect((await failure(store.read(name, first))).reason).toContain('network rules')
})

test('a name that is too long in the vault is refused and says so; the longest is kept', async () => {
  const longest = `postern-test/${rotation()}`.padEnd(100, 'x')
  const fitting = longest.padEnd(longest.length + 127 - encodeSecretName(longest).length, 'x')
  expect(encodeSecretName(fitting)).toHaveLength(127)
  const version = await stage(fitting, 'one')
  expect(await store.read(fitting, version)).toEqual({ url: 'one' })
  for (const ask of [() => stage(`${fitting}x`, 'one'), () => store.versions(`${fitting}x`)]) {
    const { code, reason } = await failure(ask())
    expect(code).toBe('secret.refused')
    expect(reason).toContain('128 characters')
  }
})

test('what is no secret name, or no version id, is not asked for', async () => {
  const { name, first } = await staged()
  double.clear()
  for (const bad of ['../x', 'a?b', 'A', '']) {
    expect((await failure(stage(bad, 'one'))).code).toBe('secret.refused')
  }
  for (const version of [first.toUpperCase(), `${first}0`, `${first}\n`, `${first}/`, 'versions']) {
    if (version === first) continue
    expect((await failure(store.read(name, version))).code).toBe('secret.not_found')
    expect((await failure(store.disable(name, version))).code).toBe('secret.not_found')
  }
  expect(double.requests).toEqual([])
})

test('an answer with another version than the one that was asked for is an outage', async () => {
  const { name, first, second } = await staged()
  const id = `${double.url}/secrets/${encodeSecretName(name)}/${second}`
  const attributes = { enabled: true, created: 1 }
  const body = JSON.stringify({ id, attributes, value: '{"url":"two"}' })
  double.strike({ kind: 'answer', status: 200, body })
  expect((await failure(store.read(name, first))).code).toBe('secret.unavailable')
})

test('a soft-deleted secret is not found, and what is staged under its name says why not', async () => {
  const { name, first } = await staged()
  await deleteAzureSecret(byHand(), name)
  expect((await failure(store.read(name, first))).code).toBe('secret.not_found')
  expect((await failure(store.currentVersion(name))).code).toBe('secret.not_found')
  const { code, reason } = await failure(stage(name, canary))
  expect(code).toBe('secret.unavailable')
  expect(reason).toContain(`${name} is soft-deleted: recover it or purge it`)
})

test('the bare name, whose value is whatever was written last, is never read', async () => {
  const { name, first, second } = await staged()
  await store.promote(name, { version: second, previous: first })
  await store.read(name, await store.currentVersion(name))
  const bare = `/secrets/${encodeSecretName(name)}`
  const asked = double.requests.filter((line) => line.endsWith(bare))
  expect(asked).toEqual([`PUT ${bare}`, `PUT ${bare}`])
})

test('a name in capitals is the same name; one that nobody here gives is left out of the list', async () => {
  const { name, first } = await staged()
  const others = [encodeSecretName(name).toUpperCase(), 'Payments', 'web-cert', 'a-x', '-']
  for (const other of others) await putRaw(other, { value: '{"url":"x"}' })
  const listed = await store.list()
  expect(listed.filter((one) => !/^postern-test\//.test(one))).toEqual(['payments'])
  expect(listed.filter((one) => one === name)).toHaveLength(1)
  expect(await store.versions(name)).toHaveLength(3)
  expect(await store.read(name, first)).toEqual({ url: 'one' })
})

test('a certificate of the vault is no secret of ours, and neither is a tag list that is null a fault', async () => {
  const attributes = { enabled: true, created: 1 }
  const value = ['web', 'db'].map((name) => ({
    ...{ id: `https://v.vault.azure.net:443/secrets/${name}`, attributes },
    ...{ tags: null, managed: name === 'web' },
  }))
  const body = JSON.stringify({ value, nextLink: null })
  double.strike({ kind: 'answer', status: 200, body })
  expect(await store.list()).toEqual(['db'])
})

const failures: readonly (readonly [string, Fault])[] = [
  ['was not done', { kind: 'answer', status: 503 }],
  ['was done unheard', { kind: 'lost' }],
]
const writes = [1, 2, 3]
test.each(failures.flatMap(([title, fault]) => writes.map((nth) => ({ title, fault, nth }))))(
  'a promotion whose write $nth $title leaves one current version, and is repeated to its end',
  async ({ fault, nth }) => {
    const { name, first, second } = await staged()
    await store.promote(name, { version: second, previous: first })
    const third = await stage(name, 'three')
    const step = { version: third, previous: second }
    let seen = 0
    const isMeant = ({ method }: Request) => {
      if (method === 'PATCH') seen += 1
      return method === 'PATCH' && seen === nth
    }
    double.strike(fault, { isMeant })
    expect((await failure(store.promote(name, step))).code).toBe('secret.unavailable')
    const isDone = nth > 1 || fault.kind === 'lost'
    expect(await store.currentVersion(name)).toBe(isDone ? third : second)
    await store.promote(name, step)
    expect(await store.currentVersion(name)).toBe(third)
    double.clear()
    await store.promote(name, step)
    expect(double.requests.filter((line) => line.startsWith('PATCH'))).toEqual([])
    await store.promote(name, { version: second, previous: third })
    expect(await store.currentVersion(name)).toBe(second)
  },
)

test('an orphan of a rotation is adopted, the oldest of several, and the others are disabled', async () => {
  const { name, first, second } = await staged()
  const id = rotation()
  const isMeant = ({ method }: Request) => method === 'PUT'
  // Twice, because the runtime itself sends a PUT again whose connection was cut.
  double.strike({ kind: 'lost' }, { times: 2, isMeant })
  expect((await failure(stage(name, 'three', id))).code).toBe('secret.unavailable')
  const orphan = (await store.versions(name)).at(-3)?.version ?? ''
  await putTagged(name, { rotation: id, place: '9' })
  double.clear()
  expect(await stage(name, 'three', id)).toBe(orphan)
  expect(double.requests.filter((line) => line.startsWith('PUT'))).toEqual([])
  const enabled = (await store.versions(name)).filter(({ isEnabled }) => isEnabled)
  expect(enabled.map(({ version }) => version)).toEqual([orphan, second, first])
})

test('a twin that was made at the same time is found after the write, and one of the two stays', async () => {
  const { name, first, second } = await staged()
  const id = rotation()
  double.hideNewFor(1)
  const twin = await putTagged(name, { rotation: id, place: '1' })
  double.hideNewFor(0)
  expect(await stage(name, 'three', id)).toBe(twin)
  expect(await store.versions(name)).toHaveLength(4)
  const enabled = (await store.versions(name)).filter(({ isEnabled }) => isEnabled)
  expect(new Set(enabled.map(({ version }) => version))).toEqual(new Set([first, second, twin]))
})

test('a version that was promoted is never disabled as a stray of its rotation', async () => {
  const { name, second } = await staged()
  const id = rotation()
  await stage(name, 'three', id)
  const twin = await putTagged(name, { rotation: id, place: '9' })
  await store.promote(name, { version: twin, previous: second })
  expect(await stage(name, 'three', id)).toBe(twin)
  expect(await store.read(name, twin)).toEqual({ url: 'twin' })
})

async function putTagged(name: string, tags: Readonly<Record<string, string>>): Promise<string> {
  return await putRaw(encodeSecretName(name), { value: '{"url":"twin"}', tags })
}

async function putRaw(encoded: string, body: object): Promise<string> {
  const answer = await fetch(`${double.url}/secrets/${encoded}?api-version=7.4`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${double.issueToken()}` },
    body: JSON.stringify(body),
  })
  const { id } = z.object({ id: z.url() }).parse(await answer.json())
  return id.slice(-32)
}
