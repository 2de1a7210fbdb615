import { afterAll, beforeAll, expect, test } from 'bun:test'
import { SecretClient } from '@azure/keyvault-secrets'
import { azureManagedIdentity } from '#core/secret/azure/azure-login.ts'
import { azureSecretStore } from '#core/secret/azure/azure-secret-store.ts'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import { type AzureDouble, azureDouble } from '../doubles/azure-double.ts'
import { freshName, rotation } from './store-contract.ts'

/** The vendor's own client, and our adapter, at one double: each has to understand the other. */
let double: AzureDouble
beforeAll(() => {
  double = azureDouble()
})
afterAll(() => double.stop())

const ours = () =>
  azureSecretStore({ vaultUrl: double.url, login: azureManagedIdentity({ host: double.url }) })

function theirs(): SecretClient {
  const credential = {
    getToken: async () => ({
      token: double.issueToken(),
      expiresOnTimestamp: Date.now() + 3_600_000,
    }),
  }
  return new SecretClient(double.url, credential, {
    disableChallengeResourceVerification: true,
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  })
}

async function versionsOf(client: SecretClient, name: string) {
  const versions = []
  for await (const version of client.listPropertiesOfSecretVersions(name)) versions.push(version)
  return versions
}

test('the official client refuses the double where the challenge is not of its own domain', async () => {
  const credential = { getToken: () => Promise.reject(new Error('a token was asked for')) }
  const strict = new SecretClient(double.url, credential, { allowInsecureConnection: true })
  await expect(strict.getSecret('any')).rejects.toThrow('does not match the requested domain')
})

test('what the official client writes, our adapter reads, by the version that it gave', async () => {
  const name = freshName()
  const members = { url: 'postgres://žluťoučký 🐎', user: 'a' }
  const value = JSON.stringify(members)
  const written = await theirs().setSecret(encodeSecretName(name), value)
  const version = written.properties.version ?? ''
  expect(await ours().read(name, version)).toEqual(members)
  expect(await ours().currentVersion(name)).toBe(version)
  expect(await ours().list()).toContain(name)
})

test('what our adapter stages, the official client reads, with our tags', async () => {
  const name = freshName()
  const id = rotation()
  const version = await ours().stage(name, { members: { url: 'ours' }, rotation: id })
  const read = await theirs().getSecret(encodeSecretName(name), { version })
  expect(JSON.parse(read.value ?? '')).toEqual({ url: 'ours', rotation: id })
  expect(read.properties).toMatchObject({ enabled: true, tags: { rotation: id }, version })
  expect(read.properties.contentType).toBe('application/json')
})

test('a version that our adapter disables is refused to the official client, and the other way round', async () => {
  const name = freshName()
  const encoded = encodeSecretName(name)
  const first = await ours().stage(name, { members: { url: 'one' }, rotation: rotation() })
  const second = await ours().stage(name, { members: { url: 'two' }, rotation: rotation() })
  await ours().disable(name, first)
  await expect(theirs().getSecret(encoded, { version: first })).rejects.toMatchObject({
    statusCode: 403,
  })
  await theirs().updateSecretProperties(encoded, second, { enabled: false })
  await expect(ours().read(name, second)).rejects.toMatchObject({ code: 'secret.disabled' })
  await theirs().updateSecretProperties(encoded, first, { enabled: true })
  expect(await ours().read(name, first)).toEqual({ url: 'one' })
})

test('a tag that the official client sets stays through staging, promotion and disabling', async () => {
  const name = freshName()
  const encoded = encodeSecretName(name)
  const first = await ours().stage(name, { members: { url: 'one' }, rotation: rotation() })
  const { properties } = await theirs().getSecret(encoded, { version: first })
  await theirs().updateSecretProperties(encoded, first, {
    tags: { ...properties.tags, owner: 'payments' },
  })
  const second = await ours().stage(name, { members: { url: 'two' }, rotation: rotation() })
  await ours().promote(name, { version: second, previous: first })
  await ours().disable(name, first)
  const versions = await versionsOf(theirs(), encoded)
  const tags = new Map(versions.map((each) => [each.version, each.tags]))
  expect(tags.get(first)).toMatchObject({ owner: 'payments', state: 'previous' })
  expect(tags.get(second)).toMatchObject({ state: 'current' })
})

test('both see the same versions and names, over several pages', async () => {
  const name = freshName()
  const encoded = encodeSecretName(name)
  for (let index = 0; index < 27; index += 1) await theirs().setSecret(encoded, `{"n":"${index}"}`)
  const listed = await versionsOf(theirs(), encoded)
  expect(listed).toHaveLength(27)
  const seen = (await ours().versions(name)).map(({ version }) => version)
  expect(seen.toSorted()).toEqual(listed.map(({ version }) => version ?? '').toSorted())
  for (let index = 0; index < 27; index += 1) {
    await theirs().setSecret(encodeSecretName(`${name}/${index}`), '{"n":"x"}')
  }
  const names: string[] = []
  for await (const { name: found } of theirs().listPropertiesOfSecrets()) names.push(found)
  const found = (await ours().list()).map(encodeSecretName)
  expect(found.toSorted()).toEqual(names.toSorted())
})

test('a secret that the official client deletes is not found, and cannot be staged until it is recovered', async () => {
  const name = freshName()
  const encoded = encodeSecretName(name)
  const first = await ours().stage(name, { members: { url: 'one' }, rotation: rotation() })
  await (await theirs().beginDeleteSecret(encoded, { intervalInMs: 1 })).pollUntilDone()
  await expect(ours().read(name, first)).rejects.toMatchObject({ code: 'secret.not_found' })
  await expect(ours().versions(name)).rejects.toMatchObject({ code: 'secret.not_found' })
  const secret = { members: { url: 'two' }, rotation: rotation() }
  await expect(ours().stage(name, secret)).rejects.toMatchObject({
    code: 'secret.unavailable',
    reason: expect.stringContaining('soft-deleted'),
  })
  await (await theirs().beginRecoverDeletedSecret(encoded, { intervalInMs: 1 })).pollUntilDone()
  expect(await ours().read(name, first)).toEqual({ url: 'one' })
  expect(await ours().stage(name, secret)).not.toBe(first)
})
