import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { vaultSecretStore } from '#core/secret/vault/vault-secret-store.ts'
import { type VaultDouble, vaultDouble, vaultMount } from '../doubles/vault-double.ts'
import { vaultProofs, vaultRootToken } from '../doubles/vault-logins.ts'
import { canary, freshName, rotation } from './store-contract.ts'
import { askVault, putVaultSecret } from './vault-by-hand.ts'

let double: VaultDouble
let store: SecretStore

beforeEach(() => {
  double = vaultDouble()
  store = open()
})
afterEach(() => double.stop())

function open(mount = vaultMount): SecretStore {
  const { roleId, secretId } = vaultProofs
  const login = { kind: 'approle', roleId, secretId: async () => secretId } as const
  return vaultSecretStore({ address: double.url, mount, login })
}
const stage = (name: string, url: string, id = rotation()) =>
  store.stage(name, { members: { url }, rotation: id })
const admin = () => ({ address: double.url, token: vaultRootToken })
const byHand = (path: string, body: object) =>
  askVault(admin(), 'POST', `${vaultMount}/${path}`, body)
const putByHand = (path: string, members: Record<string, string>) =>
  putVaultSecret(admin(), `${vaultMount}/data/${path}`, members)
const metadataOf = (name: string) => askVault(admin(), 'GET', `${vaultMount}/metadata/${name}`)
const notFound = { code: 'secret.not_found' }
const unavailable = { code: 'secret.unavailable' }

test.each(['../sys/mounts', 'a//b', 'a/', '/a', 'A', 'a b', 'a?version=1', 'a%2fb', ''])(
  'the name %j is refused without asking',
  async (name) => {
    await expect(stage(name, 'one')).rejects.toMatchObject({ code: 'secret.refused' })
    await expect(store.read(name, '1')).rejects.toMatchObject(notFound)
    await expect(store.versions(name)).rejects.toMatchObject(notFound)
    expect(double.requests).toEqual([])
  },
)

test.each(['0', '01', '+1', '1.0', '1e0', ' 1', '-1', '0x1', '9007199254740993', 'latest', ''])(
  'version %j is not found without asking',
  async (version) => {
    const name = freshName()
    await stage(name, 'one')
    double.clear()
    await expect(store.read(name, version)).rejects.toMatchObject(notFound)
    expect(double.requests).toEqual([])
  },
)

test.each([
  [200, { data: { data: { url: canary }, metadata: { version: 2 } } }],
  [200, { data: { data: null, metadata: { version: 1 } } }],
  [200, { data: { data: { url: 1 }, metadata: { version: 1 } } }],
  [404, { errors: [canary] }],
  [404, { warnings: [canary] }],
  [400, { errors: [canary] }],
  [473, {}],
  [412, {}],
])('%d with %j is not taken for the version that was asked for', async (status, body) => {
  const name = freshName()
  await stage(name, 'one')
  const isMeant = (request: Request) => double.isForSecrets(request)
  double.strike({ kind: 'answer', status, body: JSON.stringify(body) }, { isMeant })
  const error: unknown = await store.read(name, '1').catch((cause: unknown) => cause)
  const isOther = status === 200 && JSON.stringify(body).includes('"version":2')
  expect(error).toMatchObject(isOther ? notFound : unavailable)
  expect(Bun.inspect(error)).not.toContain(canary)
})

test('an engine that is not there, or of another kind, is an outage that says so', async () => {
  await expect(open('none').read('a', '1')).rejects.toThrow('is there an engine')
  await expect(open('old').check()).rejects.toThrow('old in Vault is no KV engine of version 2')
  await expect(open('database').check()).rejects.toMatchObject(unavailable)
  await expect(open('none').check()).rejects.toMatchObject(unavailable)
  await store.check()
})

test('a secret made by us keeps 100 versions, one made by hand too once we stage', async () => {
  const own = freshName()
  await stage(own, 'one')
  expect(await metadataOf(own)).toMatchObject({
    data: { max_versions: 100, custom_metadata: { current: '1' } },
  })
  const other = freshName()
  await putByHand(other, { url: 'by hand' })
  await putByHand(other, { url: 'by hand again' })
  await stage(other, 'three')
  expect(await metadataOf(other)).toMatchObject({
    data: { max_versions: 100, custom_metadata: { current: '2' } },
  })
})

test('labels and limits of others stay', async () => {
  const name = freshName()
  await putByHand(name, { url: 'by hand' })
  await byHand(`metadata/${name}`, { max_versions: 20, custom_metadata: { team: 'payments' } })
  const version = await stage(name, 'two')
  await store.promote(name, { version, previous: '1' })
  expect(await metadataOf(name)).toMatchObject({
    data: {
      max_versions: 20,
      custom_metadata: { team: 'payments', current: '2', previous: '1' },
    },
  })
})

test('a label that somebody set stays current while the limit is raised for our versions', async () => {
  const name = freshName()
  await putByHand(name, { url: 'by hand' })
  await putByHand(name, { url: 'not yet current' })
  await byHand(`metadata/${name}`, { custom_metadata: { current: '1' } })
  await stage(name, 'three')
  expect(await metadataOf(name)).toMatchObject({
    data: { max_versions: 100, custom_metadata: { current: '1' } },
  })
})

test('a promotion or a disabling that is repeated writes nothing', async () => {
  const name = freshName()
  await stage(name, 'one')
  const version = await stage(name, 'two')
  await store.promote(name, { version, previous: '1' })
  await store.disable(name, '1')
  double.clear()
  await store.promote(name, { version, previous: '1' })
  await store.disable(name, '1')
  const look = `GET /v1/secret/metadata/${name}`
  expect(double.requests).toEqual([look, look])
})

test('a version that is not there is neither promoted nor disabled', async () => {
  const name = freshName()
  await stage(name, 'one')
  await expect(store.promote(name, { version: '7', previous: '1' })).rejects.toMatchObject(notFound)
  await expect(store.disable(name, '7')).rejects.toMatchObject(notFound)
  expect(await store.currentVersion(name)).toBe('1')
})

test('a label that is no version is an outage: the newest may be staged only', async () => {
  const name = freshName()
  await stage(name, 'one')
  await byHand(`metadata/${name}`, { custom_metadata: { current: 'the first' } })
  await expect(store.currentVersion(name)).rejects.toMatchObject(unavailable)
})

test('what was prepared and never written is not found, and then it is the first version', async () => {
  const name = freshName()
  double.strike(
    { kind: 'answer', status: 503 },
    { isMeant: ({ method, url }) => method === 'POST' && url.includes('/data/') },
  )
  await expect(stage(name, 'one')).rejects.toMatchObject(unavailable)
  await expect(store.currentVersion(name)).rejects.toMatchObject(notFound)
  await expect(store.versions(name)).rejects.toMatchObject(notFound)
  expect(await stage(name, 'one')).toBe('1')
  expect(await store.currentVersion(name)).toBe('1')
})

test('who is second with a version looks again and takes the next one', async () => {
  const name = freshName()
  await stage(name, 'one')
  const versions = await Promise.all(['two', 'three', 'four'].map((url) => stage(name, url)))
  expect(versions.toSorted()).toEqual(['2', '3', '4'])
  expect(await store.currentVersion(name)).toBe('1')
})

test('who is second every time gives up', async () => {
  const name = freshName()
  await stage(name, 'one')
  const body = '{"errors":["check-and-set parameter did not match the current version"]}'
  double.strike(
    { kind: 'answer', status: 400, body },
    { times: 100, isMeant: ({ method, url }) => method === 'POST' && url.includes('/data/') },
  )
  await expect(stage(name, 'two')).rejects.toMatchObject(unavailable)
  expect(double.requests.filter((line) => line.startsWith('POST /v1/secret/data/'))).toHaveLength(6)
})

test('our rotation is found among the ten newest that can be read', async () => {
  const name = freshName()
  const id = rotation()
  const version = await stage(name, 'ours', id)
  for (let index = 0; index < 9; index += 1) await putByHand(name, { url: `${index}` })
  expect(await stage(name, 'ours', id)).toBe(version)
  await putByHand(name, { url: 'the tenth' })
  await store.disable(name, '5')
  expect(await stage(name, 'ours', id)).toBe(version)
  const next = rotation()
  const newest = await stage(name, 'ours again', next)
  expect(await stage(name, 'ours again', next)).toBe(newest)
})

test('a version that goes while we look for ours does not stop the staging', async () => {
  const name = freshName()
  await stage(name, 'one')
  double.strike(
    { kind: 'answer', status: 404, body: '{"errors":[]}' },
    { isMeant: ({ method, url }) => method === 'GET' && url.includes('/data/') },
  )
  expect(await stage(name, 'two')).toBe('2')
})

test('a version that Vault is to delete later is enabled until then', async () => {
  const name = freshName()
  await stage(name, 'one')
  const state = (end: string) => ({
    ...{ created_time: '2026-01-01T00:00:00.123456789Z', destroyed: false },
    deletion_time: end,
  })
  const versions = {
    '1': state('2026-01-02T00:00:00.5Z'),
    '2': state('2999-01-01T00:00:00.123456789Z'),
    '10': state(''),
  }
  const data = { current_version: 10, max_versions: 0, custom_metadata: null, versions }
  const isMeant = (request: Request) => double.isForSecrets(request)
  double.strike({ kind: 'answer', status: 200, body: JSON.stringify({ data }) }, { isMeant })
  expect(await store.versions(name)).toMatchObject([
    { version: '10', isEnabled: true },
    { version: '2', isEnabled: true },
    { version: '1', isEnabled: false },
  ])
})

test('a version that was destroyed is disabled for who reads it, and listed no more', async () => {
  const name = freshName()
  await stage(name, 'one')
  await stage(name, 'two')
  await byHand(`destroy/${name}`, { versions: [1] })
  await expect(store.read(name, '1')).rejects.toMatchObject({ code: 'secret.disabled' })
  expect((await store.versions(name)).map(({ version }) => version)).toEqual(['2'])
  await store.disable(name, '1')
  expect(double.requests.filter((line) => line.includes('/delete/'))).toEqual([])
})

test('what an operator undeletes is read again', async () => {
  const name = freshName()
  await stage(name, 'one')
  await store.disable(name, '1')
  expect(await store.versions(name)).toMatchObject([{ version: '1', isEnabled: false }])
  await byHand(`undelete/${name}`, { versions: [1] })
  expect(await store.read(name, '1')).toEqual({ url: 'one' })
})

test('names are listed through all folders, those of others left out', async () => {
  const mine = ['a', 'a/b', 'a/b/c', 'z-1/y_2']
  for (const name of mine) await stage(name, 'x')
  for (const other of ['Upper', 'with space', 'Upper/below', 'a/b.c', 'ümlaut']) {
    await putByHand(encodeURI(other), { url: 'x' })
  }
  expect(await store.list()).toEqual(mine)
  expect(double.requests.filter((line) => line.endsWith('/metadata/Upper'))).toEqual([])
})

test('no more than 1,000 folders are looked into, however many others keep', async () => {
  for (let index = 0; index < 1_001; index += 1) await putByHand(`f${index}/Not_ours`, { url: 'x' })
  double.clear()
  expect(await store.list()).toEqual([])
  const looks = double.requests.filter((line) => line.startsWith('GET /v1/secret/metadata'))
  expect(looks).toHaveLength(1_000)
})

test('no more than 1,000 names are listed', async () => {
  for (let index = 0; index < 1_001; index += 1) await putByHand(`many/n${index}`, { url: 'x' })
  expect(await store.list()).toHaveLength(1_000)
})

test('an empty engine has no names', async () => {
  expect(await store.list()).toEqual([])
})
