import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { vaultSecretStore } from '#core/secret/vault/vault-secret-store.ts'
import { faultServer } from '../doubles/fault-server.ts'
import { canary, freshName, rotation, type StoreSubject, storeContract } from './store-contract.ts'
import { type StruckSubject, storeFaultContract } from './store-fault-contract.ts'
import { putVaultSecret } from './vault-by-hand.ts'
import { vaultDatabaseContract } from './vault-database-contract.ts'
import { vaultParity } from './vault-parity.ts'
import { openVaultTenant, tenantTokenSeconds, type VaultTenant } from './vault-tenant.ts'

/**
 * `POSTERN_TEST_VAULT_ADDR`: a server of HashiCorp Vault or OpenBao, `http://127.0.0.1:8200`.
 * `_TOKEN`: one that may make engines, policies and logins there; they go when the suite ends.
 * `_CA`: a file of PEM where no public authority vouches for it. The database part needs a server
 * that reaches this machine's loopback.
 */
const address = process.env['POSTERN_TEST_VAULT_ADDR'] ?? ''
const token = process.env['POSTERN_TEST_VAULT_TOKEN'] ?? ''
const caFile = process.env['POSTERN_TEST_VAULT_CA']

async function administrator() {
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
  return { address: new URL(address).origin, token, ca }
}

async function openTenant() {
  const admin = await administrator()
  return { admin, tenant: await openVaultTenant(admin) }
}

async function serverSubject(by: 'appRole' | 'jwt'): Promise<StoreSubject> {
  const { admin, tenant } = await openTenant()
  const open = (at: string) =>
    vaultSecretStore({ ...admin, address: at, mount: tenant.mount, login: tenant[by] })
  return {
    store: open(admin.address),
    other: open(admin.address),
    putByHand: (name, members) => putVaultSecret(admin, `${tenant.mount}/data/${name}`, members),
    outOfReach: () => open('http://127.0.0.1:1'),
    close: () => tenant.close(),
  }
}

/** The server behind a proxy that fails on purpose. */
async function struckServer() {
  const { admin, tenant } = await openTenant()
  let revoking = Promise.resolve()
  const proxy = faultServer(async (request) => {
    await revoking
    const { pathname, search } = new URL(request.url)
    const answer = await fetch(`${admin.address}${pathname}${search}`, {
      method: request.method,
      headers: request.headers,
      body: request.method === 'GET' ? undefined : await request.text(),
      redirect: 'manual',
      ...(admin.ca === undefined ? {} : { tls: { ca: admin.ca } }),
    })
    const text = await answer.text()
    return new Response(text === '' ? null : text, { status: answer.status })
  })
  const revokeTokens = () => {
    revoking = tenant.revokeTokens()
  }
  return { admin, tenant, proxy, revokeTokens }
}

async function struckSubject(): Promise<StruckSubject> {
  const { tenant, proxy, revokeTokens } = await struckServer()
  const isMeant = ({ url }: Request) => !new URL(url).pathname.startsWith('/v1/auth/')
  return {
    store: vaultSecretStore({ address: proxy.url, mount: tenant.mount, login: tenant.appRole }),
    strike: (fault, times = 1) => proxy.strike(fault, { times, isMeant }),
    clear: () => proxy.clear(),
    expireLogins: revokeTokens,
    async close() {
      await proxy.stop()
      await tenant.close()
    },
  }
}

async function withTenant(run: (tenant: VaultTenant) => Promise<void>): Promise<void> {
  const { tenant } = await openTenant()
  try {
    await run(tenant)
  } finally {
    await tenant.close()
  }
}

function serverSuite(): void {
  const host = new URL(address).host
  storeContract(`Vault at ${host} by AppRole`, () => serverSubject('appRole'))
  storeContract(`Vault at ${host} by JWT`, () => serverSubject('jwt'))
  storeFaultContract(`Vault at ${host}`, struckSubject, { hasLogins: true, hidesNew: false })
  vaultDatabaseContract(`Vault at ${host}`, openTenant)
  vaultParity(`Vault at ${host}`, openTenant)

  test('a login that no policy lets write is told which path it lacks, and writes nothing', async () => {
    await withTenant(async (tenant) => {
      const { address: at, ca } = await administrator()
      const open = (login: VaultTenant['reader']) =>
        vaultSecretStore({ address: at, ca, mount: tenant.mount, login })
      const reader = open(tenant.reader)
      const name = freshName()
      const version = await open(tenant.appRole).stage(name, {
        members: { url: 'one' },
        rotation: rotation(),
      })
      expect(await reader.read(name, version)).toEqual({ url: 'one' })
      const secret = { members: { url: canary }, rotation: rotation() }
      const error: unknown = await reader.stage(name, secret).catch((cause: unknown) => cause)
      expect(error).toMatchObject({
        code: 'secret.unavailable',
        reason: expect.stringContaining(`create and update on ${tenant.mount}/data/${name}`),
      })
      expect(Bun.inspect(error)).not.toContain(canary)
      await expect(reader.list()).rejects.toThrow(`list on ${tenant.mount}/metadata`)
      expect(await open(tenant.appRole).versions(name)).toHaveLength(1)
    })
  })

  test('a pod logs in by its token, and not once its cluster knows it no more', async () => {
    await withTenant(async (tenant) => {
      const { address: at, ca } = await administrator()
      const open = () =>
        vaultSecretStore({ address: at, ca, mount: tenant.mount, login: tenant.kubernetes })
      const name = freshName()
      const secret = { members: { url: 'one' }, rotation: rotation() }
      const version = await open().stage(name, secret)
      expect(await open().read(name, version)).toEqual({ url: 'one' })
      const { kubernetes } = tenant
      if (kubernetes.kind === 'approle') throw new Error('the tenant has another login')
      const token = await tenant.cluster.podToken()
      tenant.cluster.forgetAll()
      const login = { ...kubernetes, token: async () => token }
      const late = vaultSecretStore({ address: at, ca, mount: tenant.mount, login })
      const error: unknown = await late.check().catch((cause: unknown) => cause)
      expect(error).toMatchObject({
        code: 'secret.unavailable',
        reason: expect.stringContaining('refused the login'),
      })
      expect(Bun.inspect(error)).not.toContain(token)
    })
  })

  test('a secret id or a signature that is not ours is a login refused, unrepeated', async () => {
    await withTenant(async (tenant) => {
      const { address: at, ca } = await administrator()
      const { appRole, jwt } = tenant
      if (appRole.kind !== 'approle' || jwt.kind === 'approle') throw new Error('other logins')
      const forged = `${(await jwt.token()).replace(/[^.]+$/, '')}${'A'.repeat(86)}`
      const logins = [
        { ...appRole, secretId: async () => canary },
        { ...appRole, roleId: canary },
        { ...appRole, mount: `${appRole.mount}-none` },
        { ...jwt, token: async () => forged },
        { ...jwt, token: async () => canary },
        { ...jwt, role: canary },
      ]
      for (const login of logins) {
        const store = vaultSecretStore({ address: at, ca, mount: tenant.mount, login })
        const error: unknown = await store.check().catch((cause: unknown) => cause)
        expect(error).toMatchObject({ code: 'secret.unavailable' })
        expect(Bun.inspect(error)).not.toContain(canary)
        expect(Bun.inspect(error)).not.toContain(forged)
      }
    })
  })

  test('what is no KV engine of version 2 is named as such', async () => {
    await withTenant(async ({ databaseMount, mount, appRole: login }) => {
      const { address: at, ca } = await administrator()
      const check = (where: string) =>
        vaultSecretStore({ address: at, ca, mount: where, login }).check()
      await check(mount)
      await expect(check(databaseMount)).rejects.toThrow('is no KV engine of version 2')
      await expect(check(`${mount}-none`)).rejects.toMatchObject({ code: 'secret.unavailable' })
    })
  })

  test('the token is renewed when two thirds of its life are over, and goes on', async () => {
    const { tenant, proxy } = await struckServer()
    try {
      let elapsedMs = 0
      const store = vaultSecretStore({
        ...{ address: proxy.url, mount: tenant.mount, login: tenant.appRole },
        now: () => elapsedMs,
      })
      await store.check()
      for (const _ of [1, 2, 3]) {
        elapsedMs += tenantTokenSeconds * 700
        await store.check()
      }
      const asked = (path: string) => proxy.requests.filter((line) => line.endsWith(path)).length
      expect([asked('/login'), asked('/renew-self')]).toEqual([1, 3])
    } finally {
      await proxy.stop()
      await tenant.close()
    }
  })
}

if (address === '') {
  process.stderr.write(
    '\n*** NOT RUN: secret store contract, logins and database leases against a real Vault.\n' +
      '*** Name a Vault or OpenBao by POSTERN_TEST_VAULT_ADDR (and _TOKEN, _CA).\n\n',
  )
  test('NOT RUN against a real Vault: POSTERN_TEST_VAULT_ADDR names none', () => {
    expect(process.env['POSTERN_TEST_VAULT_ADDR'] ?? '').toBe('')
  })
} else {
  serverSuite()
}
