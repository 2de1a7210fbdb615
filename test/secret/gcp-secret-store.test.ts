import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { gcpSecretStore } from '#core/secret/gcp/gcp-secret-store.ts'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import type { GcpByHand } from '../doubles/gcp-by-hand.ts'
import { type GcpDouble, gcpDouble, gcpProject } from '../doubles/gcp-double.ts'
import { gcpSubject, strikeOn } from '../doubles/gcp-subject.ts'
import { canary, freshName, rotation, storeContract } from './store-contract.ts'
import { storeFaultContract } from './store-fault-contract.ts'

storeContract('gcp, on the double', async () => gcpSubject(gcpDouble()))

storeFaultContract(
  'gcp, on the double',
  async () => {
    const double = gcpDouble()
    const isMeant = double.isForSecrets
    return {
      ...gcpSubject(double),
      strike: (fault, times = 1) => double.strike(fault, { times, isMeant }),
      clear: double.clear,
      expireLogins: double.expireLogins,
      hideNewFor: double.hideNewFor,
    }
  },
  { hasLogins: true, hidesNew: true },
)

describe('gcp:', () => {
  let double: GcpDouble
  let store: SecretStore
  let byHand: GcpByHand
  beforeAll(() => {
    double = gcpDouble()
    ;({ store, byHand } = gcpSubject(double))
  })
  afterEach(() => double.clear())
  afterAll(() => double.stop())

  const stage = (name: string, url: string, id = rotation()) =>
    store.stage(name, { members: { url }, rotation: id })
  const googleBody = (status: string) => JSON.stringify({ error: { status, message: canary } })

  test.each(['http://secrets.example.com', 'https://user:pass@example.com', 'ftp://x', 'nothing'])(
    'no token is sent to %s',
    (endpoint) => {
      const login = () => Promise.reject(new Error('asked'))
      expect(() => gcpSecretStore({ project: gcpProject, login, endpoint })).toThrow(
        'neither https nor on loopback',
      )
    },
  )

  test.each(['latest', 'current', '0', '01', '1e0', '+1', '1 ', '-1', '1:access', '9'.repeat(16)])(
    'the version %p is not found, and is not asked for',
    async (version) => {
      const name = freshName()
      await stage(name, 'one')
      double.clear()
      for (const ask of [() => store.read(name, version), () => store.disable(name, version)]) {
        await expect(ask()).rejects.toMatchObject({ code: 'secret.not_found' })
      }
      expect(double.requests).toEqual([])
      await expect(store.promote(name, { version, previous: '1' })).rejects.toMatchObject({
        code: 'secret.not_found',
      })
      expect(double.requests.filter((each) => !each.startsWith('GET'))).toEqual([])
    },
  )

  test.each(['..', 'a/../b', 'a?b', 'A', '', 'a b', '%2e'])(
    'the name %p is refused where it is written and not found where it is read, without asking',
    async (name) => {
      await expect(stage(name, 'one')).rejects.toMatchObject({ code: 'secret.refused' })
      for (const ask of [
        () => store.read(name, '1'),
        () => store.versions(name),
        () => store.currentVersion(name),
      ]) {
        await expect(ask()).rejects.toMatchObject({ code: 'secret.not_found' })
      }
      expect(double.requests).toEqual([])
    },
  )

  test('a name that is over 255 characters in the store’s spelling is refused with the reason', async () => {
    expect(encodeSecretName('-'.repeat(128))).toHaveLength(256)
    await expect(stage(`a${'-'.repeat(128)}`, 'one')).rejects.toThrow('257 characters')
    const longest = `a${'-'.repeat(126)}`
    expect(await store.read(longest, await stage(longest, 'one'))).toEqual({ url: 'one' })
  })

  test('a 404 that is not the API’s own is an outage, not a secret that is not there', async () => {
    const name = freshName()
    const version = await stage(name, 'one')
    for (const body of ['<!DOCTYPE html>', '{}', '{"error":"nothing here"}']) {
      strikeOn(double, ':access', { status: 404, body: body })
      await expect(store.read(name, version)).rejects.toMatchObject({ code: 'secret.unavailable' })
    }
  })

  test('an enabled version that cannot be accessed, its key being away, is an outage', async () => {
    const name = freshName()
    const version = await stage(name, 'one')
    strikeOn(double, ':access', { status: 400, body: googleBody('FAILED_PRECONDITION') })
    const error: unknown = await store.read(name, version).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'secret.unavailable' })
    expect(Bun.inspect(error)).not.toContain(canary)
  })

  test('a value that does not fit its checksum is an outage', async () => {
    const name = freshName()
    const version = await stage(name, 'one')
    const data = Buffer.from('{"url":"one"}').toString('base64')
    const answers = [
      { data, dataCrc32c: '1' },
      { data },
      { data: '', dataCrc32c: '1' },
      { data: '!', dataCrc32c: '0' },
    ]
    for (const payload of answers) {
      const body = { name: `projects/1/secrets/s/versions/${version}`, payload }
      strikeOn(double, ':access', { status: 200, body: JSON.stringify(body) })
      await expect(store.read(name, version)).rejects.toMatchObject({ code: 'secret.unavailable' })
    }
  })

  test('another version than was asked for is an outage', async () => {
    const name = freshName()
    const first = await stage(name, 'one')
    const answer = await byHand.ask('GET', `/${encodeSecretName(name)}/versions/${first}:access`)
    const body = (await answer.text()).replace(/versions\/1"/, 'versions/2"')
    strikeOn(double, ':access', { status: 200, body: body })
    await expect(store.read(name, first)).rejects.toThrow('another came')
  })

  test('a token that is refused again after a new login is an outage', async () => {
    const name = freshName()
    const version = await stage(name, 'one')
    const logins = double.given.metadata
    strikeOn(double, ':access', { status: 401, body: googleBody('UNAUTHENTICATED'), times: 2 })
    await expect(store.read(name, version)).rejects.toThrow('UNAUTHENTICATED')
    expect(double.given.metadata).toBe(logins + 1)
  })

  test('a version that was destroyed is disabled to who reads it, and listed no more', async () => {
    const name = freshName()
    const first = await stage(name, 'one')
    const second = await stage(name, 'two')
    await byHand.ask('POST', `/${encodeSecretName(name)}/versions/${second}:destroy`, {})
    await expect(store.read(name, second)).rejects.toMatchObject({ code: 'secret.disabled' })
    expect((await store.versions(name)).map(({ version }) => version)).toEqual([first])
    await store.disable(name, second)
  })

  test('what others keep in the project is no name of ours', async () => {
    const foreign = ['Database', 'data_base', '--a', 'a-', 'a-x', 'x'.repeat(200)]
    for (const id of foreign) {
      const made = await byHand.ask('POST', `?secretId=${id}`, { replication: { automatic: {} } })
      expect(made.status).toBe(200)
    }
    const name = freshName()
    await stage(name, 'one')
    const listed = await store.list()
    expect(listed).toContain(name)
    for (const each of ['Database', 'data_base', '-a', 'a-', 'a-x', 'x'.repeat(200)]) {
      expect(listed).not.toContain(each)
    }
  })

  test('names are listed over all pages', async () => {
    const stem = freshName()
    const names = Array.from({ length: 230 }, (_, index) => `${stem}/${index}`)
    await Promise.all(
      names.map((name) =>
        byHand.ask('POST', `?secretId=${encodeSecretName(name)}`, { replication: {} }),
      ),
    )
    const listed = await store.list()
    expect(names.filter((name) => !listed.includes(name))).toEqual([])
    expect(new Set(listed).size).toBe(listed.length)
  })

  test('versions are listed over all pages, newest first', async () => {
    const name = freshName()
    for (let index = 0; index < 260; index += 1) await byHand.putText(name, `${index}`)
    const listed = (await store.versions(name)).map(({ version }) => Number(version))
    expect(listed).toEqual(Array.from({ length: 260 }, (_, index) => 260 - index))
  })
})
