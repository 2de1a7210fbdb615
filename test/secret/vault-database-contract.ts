import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import {
  type VaultDatabaseLeases,
  vaultDatabaseLeases,
} from '#core/secret/vault/vault-database-leases.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { askVault, type VaultByHand } from './vault-by-hand.ts'
import { tenantTokenSeconds, type VaultTenant } from './vault-tenant.ts'

/** Leases of a real engine at a real Postgres that asks for passwords. */
export function vaultDatabaseContract(
  title: string,
  open: () => Promise<{ admin: VaultByHand; tenant: VaultTenant }>,
): void {
  describe(`${title}, database engine:`, () => {
    let folder: string
    let server: PostgresServer
    let sql: Sql
    let tenant: VaultTenant
    let leases: VaultDatabaseLeases
    let elapsedMs = 0

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'postern-vault-'))
      server = await startWithPasswords(folder)
      sql = postgres(server.adminUrl, { max: 1 })
      await sql`create role app_owner nologin`
      await sql`create role fixed_user login password 'before'`
      const opened = await open()
      tenant = opened.tenant
      await configure(opened.admin, tenant.databaseMount, server.port)
      const { address, ca } = opened.admin
      leases = vaultDatabaseLeases({
        ...{ address, ca, mount: tenant.databaseMount, login: tenant.appRole },
        now: () => elapsedMs,
      })
    })
    afterAll(async () => {
      // The engine drops its users while the database is still there.
      await tenant?.close()
      await sql?.end()
      await server?.stop()
      await rm(folder, { recursive: true })
    })

    async function loginAs(user: { username: string; password: string }): Promise<string> {
      const { username, password } = user
      const own = postgres({
        ...{ host: '127.0.0.1', port: server.port, database: 'postgres', max: 1 },
        ...{ username, password, onnotice: () => undefined },
      })
      try {
        const [row] = await own<{ name: string }[]>`select session_user::text as name`
        return row?.name ?? ''
      } finally {
        await own.end()
      }
    }
    const isUser = async (name: string) =>
      (await sql`select from pg_roles where rolname = ${name}`).length > 0
    const notFound = { code: 'secret.not_found' }

    test('roles and leases that are not there are not found', async () => {
      await expect(leases.issue('nobody')).rejects.toMatchObject(notFound)
      await expect(leases.readStatic('nobody')).rejects.toMatchObject(notFound)
      await expect(leases.rotateStatic('nobody')).rejects.toMatchObject(notFound)
      await expect(leases.renew('database/creds/app/none')).rejects.toMatchObject(notFound)
    })

    test('an issued user logs in, is renewed, and is gone when its revocation is answered', async () => {
      const lease = await leases.issue('app')
      expect(await loginAs(lease)).toBe(lease.username)
      await expect(loginAs({ ...lease, password: 'guess' })).rejects.toMatchObject({
        code: '28P01',
      })
      expect(lease.durationMs).toBe(60_000)
      expect(await leases.renew(lease.leaseId)).toBe(60_000)
      for (const _ of [1, 2]) await leases.revoke(lease.leaseId)
      await expect(loginAs(lease)).rejects.toMatchObject({ code: '28P01' })
      expect(await isUser(lease.username)).toBe(false)
      await expect(leases.renew(lease.leaseId)).rejects.toMatchObject(notFound)
    })

    test('a lease ends with the login that issued it, so nobody renews it under another', async () => {
      const lease = await leases.issue('app')
      await tenant.revokeTokens()
      await expect(leases.renew(lease.leaseId)).rejects.toMatchObject(notFound)
      // Of a login that has ended, the leases are only queued for revocation.
      while (await isUser(lease.username)) await Bun.sleep(20)
      await expect(loginAs(lease)).rejects.toMatchObject({ code: '28P01' })
      const next = await leases.issue('app')
      expect(await loginAs(next)).toBe(next.username)
      await leases.revoke(next.leaseId)
    })

    test('a lease says no more life than its login has left', async () => {
      await leases.issue('app')
      elapsedMs += tenantTokenSeconds * 1_000 * 0.66
      const { leaseId, durationMs } = await leases.issue('long')
      expect(durationMs).toBeLessThanOrEqual(tenantTokenSeconds * 1_000 * 0.34)
      elapsedMs += tenantTokenSeconds * 1_000 * 0.3
      expect(await leases.renew(leaseId)).toBe(tenantTokenSeconds * 1_000)
      await leases.revoke(leaseId)
    })

    test('a static user has another password the moment it is rotated', async () => {
      const before = await leases.readStatic('fixed')
      expect(await loginAs(before)).toBe('fixed_user')
      await leases.rotateStatic('fixed')
      const after = await leases.readStatic('fixed')
      expect(after.rotatedAt.getTime()).toBeGreaterThan(before.rotatedAt.getTime())
      expect(after.nextRotationMs).toBeGreaterThan(3_500_000)
      await expect(loginAs(before)).rejects.toMatchObject({ code: '28P01' })
      expect(await loginAs(after)).toBe('fixed_user')
    })

    test('with the database away nothing is said to be done, and then it is', async () => {
      const lease = await leases.issue('app')
      await server.stop()
      const away = { code: 'secret.unavailable' }
      await expect(leases.issue('app')).rejects.toMatchObject(away)
      await expect(leases.revoke(lease.leaseId)).rejects.toMatchObject(away)
      await expect(leases.rotateStatic('fixed')).rejects.toMatchObject(away)
      await server.start()
      await leases.revoke(lease.leaseId)
      await expect(loginAs(lease)).rejects.toMatchObject({ code: '28P01' })
      await leases.rotateStatic('fixed')
      expect(await loginAs(await leases.readStatic('fixed'))).toBe('fixed_user')
    })
  })
}

/** The administrator comes in as ever; everybody else needs a password. */
async function startWithPasswords(folder: string): Promise<PostgresServer> {
  const rules = join(folder, 'pg_hba.conf')
  const local = '127.0.0.1/32'
  await writeFile(rules, `host all postern ${local} trust\nhost all all ${local} scram-sha-256\n`)
  await chmod(folder, 0o755)
  return await startPostgres({ settings: [`hba_file=${rules}`] })
}

async function configure(admin: VaultByHand, mount: string, port: number): Promise<void> {
  const url = `postgresql://{{username}}:{{password}}@127.0.0.1:${port}/postgres?sslmode=disable`
  await askVault(admin, 'POST', `${mount}/config/postgres`, {
    ...{ plugin_name: 'postgresql-database-plugin', allowed_roles: '*', connection_url: url },
    ...{ username: 'postern', password: 'not-asked-for' },
  })
  const creation = `create role "{{name}}" login password '{{password}}' valid until '{{expiration}}' in role app_owner`
  const role = { db_name: 'postgres', creation_statements: [creation] }
  await askVault(admin, 'POST', `${mount}/roles/app`, { ...role, default_ttl: 60, max_ttl: 3_600 })
  await askVault(admin, 'POST', `${mount}/roles/long`, {
    ...{ ...role, default_ttl: 86_400, max_ttl: 864_000 },
  })
  await askVault(admin, 'POST', `${mount}/static-roles/fixed`, {
    ...{ db_name: 'postgres', username: 'fixed_user', rotation_period: 3_600 },
  })
}
