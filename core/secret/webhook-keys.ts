import { createHmac } from 'node:crypto'
import type { SecretMembers } from './secret-store.ts'

/** Beside the member that a setting names: the key before it, as long as receivers may know no other. */
export const previousKeyMember = 'previous'

/** What deliveries are signed with, the newest key first. */
export function webhookKeysIn(members: SecretMembers, member: string): readonly string[] {
  const keys = [members[member], members[previousKeyMember]]
  return keys.filter((key) => key !== undefined)
}

const standardKey = /^whsec_([A-Za-z0-9+/]+={0,2})$/

/**
 * Standard Webhooks 1.0: a signature of each key, parted by spaces; a receiver that knows one of the
 * keys accepts. `whsec_…` holds its key as base64, any other text is a key as it is.
 */
export function webhookSignatures(keys: readonly string[], signed: string): string {
  const signatures = keys.map((key) =>
    createHmac('sha256', keyBytesOf(key)).update(signed).digest('base64'),
  )
  return signatures.map((signature) => `v1,${signature}`).join(' ')
}

function keyBytesOf(key: string): string | Uint8Array {
  const [, base64] = standardKey.exec(key) ?? []
  return base64 === undefined ? key : Buffer.from(base64, 'base64')
}
