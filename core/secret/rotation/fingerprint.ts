import { createHmac } from 'node:crypto'
import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { SecretMembers } from '../secret-store.ts'

/** Of HMAC-SHA-256: enough to tell values apart, useless to guess one by. */
const fingerprintBytes = 8

export type FingerprintKey = { readonly deployment: string; readonly key: Uint8Array }

/**
 * Hex, of a secret's members under its name in one deployment: equal for equal values, and nothing
 * else is told by it to whoever has not the key.
 */
export function fingerprintOf(
  { deployment, key }: FingerprintKey,
  name: string,
  members: SecretMembers,
): string {
  const sorted = Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHmac('sha256', key)
    .update(JSON.stringify([deployment, name, sorted]))
    .digest('hex')
    .slice(0, fingerprintBytes * 2)
}

/** Of this deployment. Throws `database.unavailable`. */
export async function readFingerprintKey(sql: Sql): Promise<FingerprintKey> {
  const [row] = await sql<{ deployment: string; key: Uint8Array }[]>`
    select id as deployment, fingerprint_key as key from postern_deployment`.catch(rethrowAsOutage)
  if (row !== undefined) return row
  throw new PosternError('database.schema_refused', { reason: 'postern_deployment is empty' })
}
