import { expect, test } from 'bun:test'
import { vaultDouble, vaultMount } from '../doubles/vault-double.ts'
import { vaultRootToken } from '../doubles/vault-logins.ts'
import type { VaultByHand } from './vault-by-hand.ts'
import type { VaultTenant } from './vault-tenant.ts'

type Asked = readonly [method: 'GET' | 'POST' | 'DELETE', path: string, body?: object]

/** What is asked of both, in this order; `KV` is the mount. */
const script: readonly Asked[] = [
  ['GET', 'KV/metadata?list=true'],
  ['GET', 'KV/metadata/a/b'],
  ['GET', 'KV/data/a/b'],
  ['GET', 'KV/data/a/b?version=1'],
  ['POST', 'KV/metadata/a/b', { max_versions: 3, custom_metadata: { current: '1' } }],
  ['GET', 'KV/metadata/a/b'],
  ['GET', 'KV/data/a/b?version=1'],
  ['POST', 'KV/data/a/b', { options: { cas: 1 }, data: { url: 'x' } }],
  ['POST', 'KV/data/a/b', { options: { cas: 0 }, data: { url: 'x', n: 1 } }],
  ['POST', 'KV/data/a/b', { options: { cas: 0 }, data: { url: 'y' } }],
  ['POST', 'KV/data/a/b', { options: { cas: 1 }, data: { url: 'y' } }],
  ['POST', 'KV/data/a/b', { options: {} }],
  ['GET', 'KV/data/a/b'],
  ['GET', 'KV/data/a/b?version=1'],
  ['GET', 'KV/data/a/b?version=3'],
  ['POST', 'KV/metadata/a/b', { custom_metadata: { current: '2', previous: '1' } }],
  ['GET', 'KV/metadata/a/b'],
  ['POST', 'KV/delete/a/b', { versions: [1, 9] }],
  ['POST', 'KV/delete/none', { versions: [1] }],
  ['POST', 'KV/delete/a/b', { versions: [] }],
  ['GET', 'KV/data/a/b?version=1'],
  ['POST', 'KV/undelete/a/b', { versions: [1] }],
  ['GET', 'KV/data/a/b?version=1'],
  ['POST', 'KV/destroy/a/b', { versions: [2] }],
  ['POST', 'KV/undelete/a/b', { versions: [2] }],
  ['GET', 'KV/data/a/b?version=2'],
  ['POST', 'KV/data/a/b', { options: { cas: 2 }, data: { url: 'z' } }],
  ['POST', 'KV/data/a/b', { options: { cas: 3 }, data: { url: 'z' } }],
  ['GET', 'KV/data/a/b?version=1'],
  ['GET', 'KV/metadata/a/b'],
  ['POST', 'KV/data/a', { data: { url: 'folder and name' } }],
  ['POST', 'KV/data/c', { data: {} }],
  ['GET', 'KV/data/c'],
  ['GET', 'KV/metadata/c'],
  ['GET', 'KV/metadata?list=true'],
  ['GET', 'KV/metadata/a?list=true'],
  ['GET', 'KV/metadata/b?list=true'],
  ['DELETE', 'KV/metadata/a/b'],
  ['GET', 'KV/data/a/b?version=1'],
  ['GET', 'KV/metadata/a?list=true'],
  ['GET', 'KV-none/data/a'],
  ['GET', 'sys/internal/ui/mounts/KV'],
  ['GET', 'sys/internal/ui/mounts/KV-none'],
  ['POST', 'sys/leases/renew', { lease_id: 'database/creds/app/none' }],
  ['POST', 'sys/leases/revoke', { lease_id: 'database/creds/app/none', sync: true }],
  ['POST', 'auth/approle-none/login', { role_id: 'a', secret_id: 'b' }],
]

/** Holds the double to what a real server answers. */
export function vaultParity(
  title: string,
  open: () => Promise<{ admin: VaultByHand; tenant: VaultTenant }>,
): void {
  test(`${title}: the double answers as it does`, async () => {
    const { admin, tenant } = await open()
    const double = vaultDouble()
    try {
      for (const asked of script) {
        const real = await ask(admin, tenant.mount, asked)
        const ours = await ask({ address: double.url, token: vaultRootToken }, vaultMount, asked)
        // The real one says more: what the double says must be among it.
        expect({ asked, ...real }).toMatchObject({ asked, ...ours })
      }
    } finally {
      await double.stop()
      await tenant.close()
    }
  })
}

async function ask(
  { address, token, ca }: VaultByHand,
  mount: string,
  [method, path, body]: Asked,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${address}/v1/${path.replace('KV', mount)}`, {
    method,
    headers: { 'x-vault-token': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
  const text = (await answer.text())
    .replaceAll(mount, 'KV')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a moment')
    .replaceAll(/"request_id":"[^"]*"/g, '"request_id":"some"')
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
}
