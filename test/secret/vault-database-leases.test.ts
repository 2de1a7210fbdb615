import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  type VaultDatabaseLeases,
  vaultDatabaseLeases,
} from '#core/secret/vault/vault-database-leases.ts'
import { type VaultDouble, vaultDouble } from '../doubles/vault-double.ts'
import { vaultProofs } from '../doubles/vault-logins.ts'
import { canary } from './store-contract.ts'

let double: VaultDouble
let leases: VaultDatabaseLeases
let elapsedMs: number

beforeEach(() => {
  double = vaultDouble()
  elapsedMs = 0
  leases = open()
})
afterEach(() => double.stop())

const notFound = { code: 'secret.not_found' }
const unavailable = { code: 'secret.unavailable' }

function open(mount = 'database'): VaultDatabaseLeases {
  const { roleId, secretId } = vaultProofs
  return vaultDatabaseLeases({
    ...{ address: double.url, mount, now: () => elapsedMs },
    login: { kind: 'approle', roleId, secretId: async () => secretId },
  })
}

test('a role or a lease that is not there is not found; a mount that is not there is an outage', async () => {
  await expect(leases.issue('nobody')).rejects.toMatchObject(notFound)
  await expect(leases.readStatic('nobody')).rejects.toMatchObject(notFound)
  await expect(leases.rotateStatic('nobody')).rejects.toMatchObject(notFound)
  await expect(open('none').issue('app')).rejects.toMatchObject(unavailable)
  double.clear()
  await expect(leases.renew('database/creds/app/none')).rejects.toMatchObject(notFound)
  await expect(leases.issue('../../sys/seal')).rejects.toMatchObject(unavailable)
  expect(double.requests).toEqual([])
})

test.each([
  ['half an answer', { kind: 'torn' }],
  ['no answer', { kind: 'lost' }],
  ['an empty object', { kind: 'answer', status: 200, body: '{}' }],
  ['a page', { kind: 'answer', status: 200, body: `<html>${canary}` }],
  ['a refusal', { kind: 'answer', status: 400, body: `{"errors":["${canary}"]}` }],
  ['an engine that did not reach its database', { kind: 'answer', status: 500, body: canary }],
] as const)('%s is an outage that repeats nothing of it', async (_, fault) => {
  const isMeant = (request: Request) => double.isForSecrets(request)
  const revoke = () => leases.revoke('database/creds/app/some')
  const isRefusal = 'status' in fault && fault.status >= 400
  // A revocation that is done answers nothing: nothing of it can be cut or wrong.
  const asks = [
    () => leases.issue('app'),
    () => leases.readStatic('fixed'),
    ...(isRefusal ? [revoke] : []),
  ]
  for (const ask of asks) {
    // A request whose answer never began is sent once more by the HTTP client itself.
    double.strike(fault, { isMeant, times: 9 })
    const error: unknown = await ask().catch((cause: unknown) => cause)
    double.clear()
    expect(error).toMatchObject(unavailable)
    expect(Bun.inspect(error)).not.toContain(canary)
  }
})

test('a lease is issued, renewed and revoked for good', async () => {
  const lease = await leases.issue('app')
  expect(lease).toMatchObject({ durationMs: 60_000 })
  expect([...double.leases]).toEqual([lease.leaseId])
  expect(await leases.renew(lease.leaseId)).toBe(60_000)
  for (const _ of [1, 2]) await leases.revoke(lease.leaseId)
  expect([...double.leases]).toEqual([])
  await expect(leases.renew(lease.leaseId)).rejects.toMatchObject(notFound)
})

test('leases stand beside each other', async () => {
  const [first, second] = [await leases.issue('app'), await leases.issue('app')]
  expect(second.username).not.toBe(first.username)
  await leases.revoke(first.leaseId)
  expect(await leases.renew(second.leaseId)).toBe(60_000)
  const third = await leases.issue('app')
  expect(await leases.renew(second.leaseId)).toBe(60_000)
  expect(await leases.renew(third.leaseId)).toBe(60_000)
})

test('a lease that Vault has dropped is not found', async () => {
  const { leaseId } = await leases.issue('app')
  await open().revoke(leaseId)
  await expect(leases.renew(leaseId)).rejects.toMatchObject(notFound)
})

test('a lease says no more life than its login has left', async () => {
  double.setTokens({ seconds: 90, isRenewable: true })
  const { leaseId, durationMs } = await leases.issue('app')
  expect(durationMs).toBe(60_000)
  elapsedMs += 50_000
  expect(await leases.renew(leaseId)).toBe(40_000)
  elapsedMs += 10_000
  expect(await leases.renew(leaseId)).toBe(60_000)
})

test('a lease of an earlier login is renewed by nobody, since it ends with that login', async () => {
  double.setTokens({ seconds: 3_600, isRenewable: false })
  const { leaseId } = await leases.issue('app')
  elapsedMs += 3_600_000 * 0.7
  await expect(leases.renew(leaseId)).rejects.toMatchObject(notFound)
  const next = await leases.issue('app')
  expect(await leases.renew(next.leaseId)).toBe(60_000)
  await leases.revoke(leaseId)
  expect([...double.leases]).toEqual([next.leaseId])
})

test('a static user has another password once it is rotated', async () => {
  const before = await leases.readStatic('fixed')
  expect(before).toMatchObject({
    username: 'fixed',
    rotatedAt: new Date('2026-02-28T23:59:59.123Z'),
    nextRotationMs: 3_600_000,
  })
  await leases.rotateStatic('fixed')
  expect((await leases.readStatic('fixed')).password).not.toBe(before.password)
})
