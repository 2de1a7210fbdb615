/** The official SDK, over its REST transport, on the double: what one writes the other reads. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { crc32c } from '#core/secret/gcp/crc32c.ts'
import { gcpFederatedLogin } from '#core/secret/gcp/gcp-federation.ts'
import { gcpSecretStore } from '#core/secret/gcp/gcp-secret-store.ts'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type GcpDouble, gcpDouble, gcpProject } from '../doubles/gcp-double.ts'
import { gcpAudience, impersonationPath } from '../doubles/gcp-logins.ts'
import { freshName, rotation } from './store-contract.ts'

describe('gcp, beside the official SDK:', () => {
  let double: GcpDouble
  let folder: string
  let store: SecretStore
  let sdk: SecretManagerServiceClient
  beforeAll(async () => {
    double = gcpDouble()
    folder = await mkdtemp(join(tmpdir(), 'postern-gcp-'))
    const subjectFile = join(folder, 'subject')
    const accountFile = join(folder, 'account.json')
    double.subjects.add('subject')
    await writeFile(subjectFile, 'subject')
    const credentials = {
      type: 'external_account' as const,
      audience: gcpAudience,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${double.url}/v1/token`,
      credential_source: { file: subjectFile },
      service_account_impersonation_url: `${double.url}${impersonationPath}`,
    }
    await writeFile(accountFile, JSON.stringify(credentials))
    sdk = new SecretManagerServiceClient({
      fallback: true,
      protocol: 'http',
      apiEndpoint: '127.0.0.1',
      port: Number(new URL(double.url).port),
      projectId: gcpProject,
      credentials,
    })
    const login = gcpFederatedLogin({ accountFile })
    store = gcpSecretStore({ project: gcpProject, endpoint: double.url, login })
  })
  afterAll(async () => {
    await sdk.close()
    await double.stop()
    await rm(folder, { recursive: true })
  })

  const parent = `projects/${gcpProject}`
  const secretOf = (name: string) => `${parent}/secrets/${encodeSecretName(name)}`
  const versionOf = (name: string, version: string) => `${secretOf(name)}/versions/${version}`
  const stage = (name: string, url: string) =>
    store.stage(name, { members: { url }, rotation: rotation() })

  async function createBySdk(name: string): Promise<void> {
    const secretId = encodeSecretName(name)
    await sdk.createSecret({ parent, secretId, secret: { replication: { automatic: {} } } })
  }
  async function addBySdk(name: string, text: string, checksum?: number): Promise<string> {
    const data = Buffer.from(text)
    const payload = { data, ...(checksum === undefined ? {} : { dataCrc32c: checksum }) }
    const [added] = await sdk.addSecretVersion({ parent: secretOf(name), payload })
    return added.name?.split('/').at(-1) ?? ''
  }
  async function accessBySdk(name: string, version: string) {
    const [{ payload }] = await sdk.accessSecretVersion({ name: versionOf(name, version) })
    const data = Buffer.from(payload?.data ?? '')
    return { text: data.toString('utf8'), isWhole: Number(payload?.dataCrc32c) === crc32c(data) }
  }

  test('both log in with the same configuration', async () => {
    const before = double.given.impersonation
    await store.check()
    await sdk.listSecrets({ parent })
    expect(double.given.impersonation).toBeGreaterThan(before)
    expect(double.given.metadata).toBe(0)
  })

  test('what the SDK refuses to find, to take twice or to take torn, it is told so in Google’s form', async () => {
    const name = freshName()
    await expect(sdk.getSecret({ name: secretOf(name) })).rejects.toThrow('NOT_FOUND')
    await createBySdk(name)
    await expect(createBySdk(name)).rejects.toThrow('ALREADY_EXISTS')
    await expect(addBySdk(name, '{"url":"one"}', 7)).rejects.toThrow('INVALID_ARGUMENT')
    await expect(addBySdk(name, 'x'.repeat(65_537))).rejects.toThrow('INVALID_ARGUMENT')
    await expect(sdk.getSecret({ name: 'projects/another/secrets/x' })).rejects.toThrow(
      'PERMISSION_DENIED',
    )
  })

  test('what the SDK writes, with its checksum or without, is read, listed and current', async () => {
    const name = freshName()
    await createBySdk(name)
    const text = '{"url":"žluťoučký 🐎"}'
    const first = await addBySdk(name, text, crc32c(Buffer.from(text)))
    expect(await store.read(name, first)).toEqual({ url: 'žluťoučký 🐎' })
    const second = await addBySdk(name, '{"url":"two"}')
    expect(await store.read(name, second)).toEqual({ url: 'two' })
    expect(await store.currentVersion(name)).toBe(second)
    expect(await store.list()).toContain(name)
    expect((await store.versions(name)).map(({ version }) => version)).toEqual([second, first])
    expect(await stage(name, 'three')).toBe('3')
    expect(await store.currentVersion(name)).toBe(second)
  })

  test('what is staged the SDK reads, whole, and knows as checked on arrival', async () => {
    const name = freshName()
    const version = await stage(name, 'žluťoučký 🐎')
    const { text, isWhole } = await accessBySdk(name, version)
    expect(JSON.parse(text)).toMatchObject({ url: 'žluťoučký 🐎' })
    expect(isWhole).toBe(true)
    const [known] = await sdk.getSecretVersion({ name: versionOf(name, version) })
    expect(known).toMatchObject({ state: 'ENABLED', clientSpecifiedPayloadChecksum: true })
    const [secret] = await sdk.getSecret({ name: secretOf(name) })
    expect(secret.versionAliases).toEqual({ current: version })
  })

  test('what is promoted the SDK reads by its alias, and the other way round', async () => {
    const name = freshName()
    const first = await stage(name, 'one')
    const second = await stage(name, 'two')
    expect((await accessBySdk(name, 'current')).text).toContain('"one"')
    expect((await accessBySdk(name, 'latest')).text).toContain('"two"')
    await store.promote(name, { version: second, previous: first })
    expect((await accessBySdk(name, 'current')).text).toContain('"two"')
    expect((await accessBySdk(name, 'previous')).text).toContain('"one"')
    const [secret] = await sdk.getSecret({ name: secretOf(name) })
    const change = (etag: string) =>
      sdk.updateSecret({
        secret: { name: secretOf(name), etag, versionAliases: { current: 1 } },
        updateMask: { paths: ['version_aliases'] },
      })
    await change(secret.etag ?? '')
    expect(await store.currentVersion(name)).toBe(first)
    await expect(change(secret.etag ?? '')).rejects.toThrow('FAILED_PRECONDITION')
    await store.promote(name, { version: second, previous: first })
    expect(await store.currentVersion(name)).toBe(second)
  })

  test('what one disables the other does not read, and what the SDK enables or destroys is so', async () => {
    const name = freshName()
    const first = await stage(name, 'one')
    const second = await stage(name, 'two')
    await store.disable(name, second)
    await expect(accessBySdk(name, second)).rejects.toThrow('is in DISABLED state')
    await expect(accessBySdk(name, 'latest')).rejects.toThrow('is in DISABLED state')
    await sdk.enableSecretVersion({ name: versionOf(name, second) })
    expect(await store.read(name, second)).toEqual({ url: 'two' })
    await sdk.disableSecretVersion({ name: versionOf(name, first) })
    await expect(store.read(name, first)).rejects.toMatchObject({ code: 'secret.disabled' })
    await store.disable(name, first)
    await sdk.destroySecretVersion({ name: versionOf(name, first) })
    await expect(store.read(name, first)).rejects.toMatchObject({ code: 'secret.disabled' })
    const states: string[] = []
    let pageToken = ''
    do {
      const request = { parent: secretOf(name), pageSize: 1, pageToken }
      const [, , answer] = await sdk.listSecretVersions(request, { autoPaginate: false })
      states.push(...(answer?.versions ?? []).map(({ state }) => String(state)))
      pageToken = answer?.nextPageToken ?? ''
    } while (pageToken !== '')
    expect(states).toEqual(['ENABLED', 'DESTROYED'])
    expect((await store.versions(name)).map(({ version }) => version)).toEqual([second])
  })

  test('a secret that the SDK deletes is not found', async () => {
    const name = freshName()
    await stage(name, 'one')
    await sdk.deleteSecret({ name: secretOf(name) })
    await expect(store.read(name, '1')).rejects.toMatchObject({ code: 'secret.not_found' })
    expect(await store.list()).not.toContain(name)
  })
})
