import { afterEach, beforeEach, expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import type { VaultLogin } from '#core/secret/vault/vault-login.ts'
import { vaultSecretStore } from '#core/secret/vault/vault-secret-store.ts'
import { faultServer } from '../doubles/fault-server.ts'
import { type VaultDouble, vaultDouble, vaultMount } from '../doubles/vault-double.ts'
import { vaultProofs } from '../doubles/vault-logins.ts'
import { canary, freshName, rotation } from './store-contract.ts'

let double: VaultDouble
let elapsedMs: number

beforeEach(() => {
  double = vaultDouble()
  elapsedMs = 0
})
afterEach(() => double.stop())

const { roleId, secretId, role, jwt } = vaultProofs
const appRole: VaultLogin = { kind: 'approle', roleId, secretId: async () => secretId }
const hour = 3_600_000

function open(login: VaultLogin = appRole, namespace?: string) {
  const options = { address: `${double.url}/`, mount: vaultMount, login, namespace }
  return vaultSecretStore({ ...options, now: () => elapsedMs })
}
const count = (end: string) => double.requests.filter((line) => line.endsWith(end)).length
/** Logins, renewals and look-ups of the token. */
const asked = () => [count('/login'), count('/renew-self'), count('/lookup-self')]
const isAbout =
  (end: string) =>
  ({ url }: Request) =>
    new URL(url).pathname.endsWith(end)

test.each<[string, VaultLogin]>([
  ['another secret id', { kind: 'approle', roleId, secretId: async () => canary }],
  ['another role id', { kind: 'approle', roleId: canary, secretId: async () => secretId }],
  ['another token', { kind: 'jwt', role, token: async () => canary }],
  ['another role', { kind: 'kubernetes', role: canary, token: async () => jwt }],
  ['a mount that is not there', { ...appRole, mount: 'none' }],
])('%s is refused once, and named without what should have proved it', async (_, login) => {
  const error: unknown = await open(login)
    .check()
    .catch((cause: unknown) => cause)
  expect(error).toMatchObject({
    code: 'secret.unavailable',
    reason: expect.stringContaining(`refused the login at auth/${login.mount ?? login.kind}`),
  })
  expect(Bun.inspect(error)).not.toContain(canary)
  expect(double.requests).toHaveLength(1)
})

test('a proof that cannot be read is an outage, and Vault is not asked', async () => {
  const secretId = () => Promise.reject(new Error('no such file'))
  await expect(open({ kind: 'approle', roleId, secretId }).check()).rejects.toMatchObject({
    code: 'secret.unavailable',
    reason: 'the secret id for the login at Vault cannot be read',
  })
  const reason = 'the file has mode 0644'
  const token = () => Promise.reject(new PosternError('secret.unavailable', { reason }))
  await expect(open({ kind: 'jwt', role, token }).check()).rejects.toMatchObject({ reason })
  expect(double.requests).toEqual([])
})

test.each(['an empty object', 'a page', 'an empty token'])(
  '%s in answer to a login is an outage',
  async (what) => {
    const auth = { client_token: '', lease_duration: 60, renewable: true }
    const bodies: Record<string, string> = {
      'an empty object': '{}',
      'a page': `<html>${canary}`,
      'an empty token': JSON.stringify({ auth }),
    }
    double.strike({ kind: 'answer', status: 200, body: bodies[what] ?? '' })
    await expect(open().check()).rejects.toMatchObject({ code: 'secret.unavailable' })
  },
)

test.each<[string, VaultLogin]>([
  ['approle', { kind: 'approle', roleId, secretId: async () => `${secretId}\r\n` }],
  ['jwt', { kind: 'jwt', role, token: async () => `${jwt}\n` }],
  ['kubernetes', { kind: 'kubernetes', role, token: async () => jwt }],
  ['jwt-of/another', { kind: 'jwt', mount: 'jwt-of/another', role, token: async () => jwt }],
])('logs in at auth/%s, with what the file says before its newline', async (mount, login) => {
  await open(login).check()
  expect(double.requests[0]).toBe(`POST /v1/auth/${mount}/login`)
})

test('the namespace goes with every request, logins too', async () => {
  double.setNamespace('team/postern')
  await expect(open().check()).rejects.toMatchObject({ code: 'secret.unavailable' })
  const store = open(appRole, 'team/postern')
  await store.check()
  elapsedMs += hour * 0.7
  await store.check()
  expect(asked()).toEqual([2, 1, 0])
})

test('what comes together shares one login, one renewal, and one login after the end', async () => {
  const store = open()
  const together = () => Promise.all(Array.from({ length: 20 }, () => store.check()))
  await together()
  expect(asked()).toEqual([1, 0, 0])
  elapsedMs += hour * 0.67
  await together()
  expect(asked()).toEqual([1, 1, 0])
  double.expireTokens()
  await together()
  expect(count('/login')).toBe(2)
})

test('a refusal that comes late takes the login that was made meanwhile', async () => {
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  const proxy = faultServer(async (request) => {
    const { pathname, search } = new URL(request.url)
    const { method, headers } = request
    const body = method === 'GET' ? undefined : await request.text()
    const answer = await fetch(`${double.url}${pathname}${search}`, { method, headers, body })
    const text = await answer.text()
    if (isHeld && answer.status === 403) {
      isHeld = false
      await gate.promise
    }
    return new Response(text, { status: answer.status })
  })
  const store = vaultSecretStore({ address: proxy.url, mount: vaultMount, login: appRole })
  await store.check()
  double.expireTokens()
  isHeld = true
  const late = store.check()
  while (isHeld) await Bun.sleep(1)
  await store.check()
  gate.resolve()
  await late
  expect(count('/login')).toBe(2)
  await proxy.stop()
})

test('a token is renewed past two thirds of its life and not before', async () => {
  const store = open()
  await store.check()
  for (const round of [1, 2, 3]) {
    elapsedMs += (hour * 2) / 3 - 1
    await store.check()
    expect(asked()).toEqual([1, round - 1, 0])
    elapsedMs += 1
    await store.check()
    expect(asked()).toEqual([1, round, 0])
  }
})

test('a token that is over is not renewed but got anew', async () => {
  const store = open()
  await store.check()
  elapsedMs += hour
  await store.check()
  expect(asked()).toEqual([2, 0, 0])
})

test.each([
  ['cannot be renewed', { seconds: 3_600, isRenewable: false }, [2, 0, 0]],
  ['never ends', { seconds: 0, isRenewable: true }, [1, 0, 0]],
])('a token that %s is got anew at two thirds, or never', async (_, kind, expected) => {
  double.setTokens(kind)
  const store = open()
  await store.check()
  elapsedMs += hour * 0.7
  await store.check()
  expect(asked()).toEqual(expected)
})

test('a renewal that gives little is the last: a new login follows', async () => {
  const store = open()
  await store.check()
  elapsedMs += hour * 0.7
  double.setTokens({ seconds: 60, isRenewable: true })
  await store.check()
  expect(asked()).toEqual([1, 1, 0])
  elapsedMs += 45_000
  await store.check()
  expect(asked()).toEqual([2, 1, 0])
})

test('a renewal that fails does not fail the request, and is tried again 5 s later', async () => {
  const store = open()
  await store.check()
  elapsedMs += hour * 0.7
  double.strike({ kind: 'answer', status: 503 }, { times: 9, isMeant: isAbout('/renew-self') })
  for (const _ of [1, 2, 3]) await store.check()
  expect(asked()).toEqual([1, 1, 0])
  elapsedMs += 5_000
  await store.check()
  expect(asked()).toEqual([1, 2, 0])
})

test('a token that was revoked before its renewal is got anew within the call', async () => {
  const store = open()
  await store.check()
  elapsedMs += hour * 0.7
  double.expireTokens()
  await store.check()
  expect(asked()).toEqual([2, 1, 0])
})

test('each login reads its proof anew: a file that was replaced counts', async () => {
  let text = 'not yet the right one'
  const store = open({ kind: 'approle', roleId, secretId: async () => text })
  await expect(store.check()).rejects.toMatchObject({ code: 'secret.unavailable' })
  text = secretId
  await store.check()
})

test('what no policy allows is named, and costs one login a minute at most', async () => {
  const store = open()
  const name = freshName()
  const version = await store.stage(name, { members: { url: 'one' }, rotation: rotation() })
  double.deny(`secret/data/${name}`)
  const denied = {
    code: 'secret.unavailable',
    reason: `Vault answered 403: the policy of our login must allow read on secret/data/${name}`,
  }
  for (const _ of [1, 2, 3]) {
    await expect(store.read(name, version)).rejects.toMatchObject(denied)
  }
  expect(asked()).toEqual([1, 0, 3])
  elapsedMs += 60_000
  for (const _ of [1, 2, 3]) {
    await expect(store.read(name, version)).rejects.toMatchObject(denied)
  }
  expect(asked()).toEqual([2, 0, 5])
  double.deny('secret/metadata')
  await expect(store.list()).rejects.toThrow('must allow list on secret/metadata')
  double.deny('')
  expect(await store.read(name, version)).toEqual({ url: 'one' })
})

test('a write that a dead token was refused is made once, with the next one', async () => {
  const store = open()
  const name = freshName()
  await store.stage(name, { members: { url: 'one' }, rotation: rotation() })
  double.strike(
    { kind: 'answer', status: 403, body: '{"errors":["permission denied"]}' },
    { isMeant: (request) => request.method === 'POST' && isAbout(name)(request) },
  )
  elapsedMs += 60_000
  await store.stage(name, { members: { url: 'two' }, rotation: rotation() })
  expect(await store.versions(name)).toHaveLength(2)
  expect(count('/login')).toBe(2)
})

test('neither proof nor token shows in what the store prints of itself', async () => {
  const store = open({ kind: 'jwt', role, token: async () => jwt })
  await store.check()
  expect(`${JSON.stringify(store)} ${Bun.inspect(store, { depth: 9 })}`).not.toMatch(
    new RegExp(`${jwt}|s\\.[0-9a-f-]{36}`),
  )
})
