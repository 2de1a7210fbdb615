import { exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { z } from 'zod'
import type { VaultLogin } from '#core/secret/vault/vault-login.ts'
import { type TokenReview, tokenReview } from '../doubles/vault-token-review.ts'
import { askVault, type VaultByHand } from './vault-by-hand.ts'

/** A corner of a real server that one run of a suite made for itself. */
export type VaultTenant = {
  /** Of a KV engine of version 2. */
  readonly mount: string
  /** Of a database engine without any database. */
  readonly databaseMount: string
  readonly appRole: VaultLogin
  readonly jwt: VaultLogin
  readonly kubernetes: VaultLogin
  /** The cluster that `kubernetes` is asked about. */
  readonly cluster: TokenReview
  /** As `appRole`, with a policy that allows to read and nothing else. */
  readonly reader: VaultLogin
  /** Ends every token that `appRole` has been given. */
  revokeTokens(): Promise<void>
  close(): Promise<void>
}

/** Seconds that a login of the tenant lives, for as long as it is renewed. */
export const tenantTokenSeconds = 600
const audience = 'postern-test'
const roleIdSchema = z.object({ data: z.object({ role_id: z.string() }) })
const secretIdSchema = z.object({ data: z.object({ secret_id: z.string() }) })

type Ask = (method: string, path: string, body?: object) => Promise<unknown>

/** Needs a token that may make engines, policies and logins. */
export async function openVaultTenant(admin: VaultByHand): Promise<VaultTenant> {
  const own = `postern-test-${Bun.randomUUIDv7().slice(-12)}`
  const ask: Ask = (method, path, body) => askVault(admin, method, path, body)
  const engines = { kv: `${own}-kv`, database: `${own}-db` }
  const logins = { appRole: `${own}-approle`, jwt: `${own}-jwt`, kubernetes: `${own}-kubernetes` }
  const policies = { [own]: policyOf(engines), [`${own}-reader`]: readerPolicyOf(engines.kv) }

  await ask('POST', `sys/mounts/${engines.kv}`, { type: 'kv', options: { version: '2' } })
  await engineIsUp(() => ask('GET', `${engines.kv}/config`))
  await ask('POST', `sys/mounts/${engines.database}`, { type: 'database' })
  for (const [name, policy] of Object.entries(policies)) {
    await ask('POST', `sys/policies/acl/${name}`, { policy })
  }
  await ask('POST', `sys/auth/${logins.appRole}`, { type: 'approle' })
  const cluster = await tokenReview()
  return {
    mount: engines.kv,
    databaseMount: engines.database,
    appRole: await appRoleLogin(ask, logins.appRole, own),
    reader: await appRoleLogin(ask, logins.appRole, `${own}-reader`),
    jwt: await jwtLogin(ask, logins.jwt, own),
    kubernetes: await kubernetesLogin(ask, logins.kubernetes, { policy: own, cluster }),
    cluster,
    async revokeTokens() {
      await ask('POST', `sys/leases/revoke-prefix/auth/${logins.appRole}/login`, { sync: true })
    },
    async close() {
      for (const mount of Object.values(engines)) await ask('DELETE', `sys/mounts/${mount}`)
      for (const mount of Object.values(logins)) await ask('DELETE', `sys/auth/${mount}`)
      for (const name of Object.keys(policies)) await ask('DELETE', `sys/policies/acl/${name}`)
      await cluster.stop()
    },
  }
}

async function appRoleLogin(ask: Ask, mount: string, policy: string): Promise<VaultLogin> {
  const path = `auth/${mount}/role/${policy}`
  await ask('POST', path, { token_policies: [policy], token_period: tenantTokenSeconds })
  const { role_id: roleId } = roleIdSchema.parse(await ask('GET', `${path}/role-id`)).data
  const made = secretIdSchema.parse(await ask('POST', `${path}/secret-id`, {}))
  return { kind: 'approle', mount, roleId, secretId: async () => made.data.secret_id }
}

async function jwtLogin(ask: Ask, mount: string, policy: string): Promise<VaultLogin> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  await ask('POST', `sys/auth/${mount}`, { type: 'jwt' })
  const keys = { jwt_validation_pubkeys: [await exportSPKI(publicKey)] }
  await ask('POST', `auth/${mount}/config`, keys)
  await ask('POST', `auth/${mount}/role/postern`, {
    ...{ role_type: 'jwt', user_claim: 'sub', bound_audiences: [audience] },
    ...{ token_policies: [policy], token_period: tenantTokenSeconds },
  })
  const token = () =>
    new SignJWT({ sub: 'postern', aud: audience })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey)
  return { kind: 'jwt', mount, role: 'postern', token }
}

async function kubernetesLogin(
  ask: Ask,
  mount: string,
  { policy, cluster }: { policy: string; cluster: TokenReview },
): Promise<VaultLogin> {
  await ask('POST', `sys/auth/${mount}`, { type: 'kubernetes' })
  await ask('POST', `auth/${mount}/config`, {
    ...{ kubernetes_host: cluster.url, kubernetes_ca_cert: cluster.ca },
    disable_local_ca_jwt: true,
  })
  await ask('POST', `auth/${mount}/role/postern`, {
    bound_service_account_names: ['postern'],
    bound_service_account_namespaces: ['default'],
    ...{ token_policies: [policy], token_period: tenantTokenSeconds },
  })
  return { kind: 'kubernetes', mount, role: 'postern', token: () => cluster.podToken() }
}

/** A KV engine refuses everything for the moment in which it is set up. */
async function engineIsUp(look: () => Promise<unknown>): Promise<void> {
  const triesMax = 100
  for (let tries = 0; ; tries += 1) {
    try {
      await look()
      return
    } catch (error) {
      if (tries >= triesMax) throw error
      await Bun.sleep(50)
    }
  }
}

/** What the adapter needs, and nothing beyond it. */
function policyOf({ kv, database }: { kv: string; database: string }): string {
  const rules: readonly (readonly [string, readonly string[]])[] = [
    [`${kv}/data/*`, ['create', 'read', 'update']],
    [`${kv}/metadata/*`, ['create', 'read', 'update', 'list']],
    [`${kv}/delete/*`, ['update']],
    [`${database}/creds/*`, ['read']],
    [`${database}/static-creds/*`, ['read']],
    [`${database}/rotate-role/*`, ['update']],
    ['sys/leases/renew', ['update']],
    ['sys/leases/revoke', ['update']],
  ]
  return rules.map(([path, capabilities]) => rule(path, capabilities)).join('\n')
}

function readerPolicyOf(kv: string): string {
  return [rule(`${kv}/data/*`, ['read']), rule(`${kv}/metadata/*`, ['read'])].join('\n')
}

function rule(path: string, capabilities: readonly string[]): string {
  return `path ${JSON.stringify(path)} { capabilities = ${JSON.stringify(capabilities)} }`
}
