import type { SecretReference } from './secret-reference.ts'

export type SecretVersion = { readonly version: string; readonly value: string }

/** What reads credentials for the rest of Postern. Safe concurrently; the caller retries. */
export type SecretReader = {
  /** Throws `secret.not_found` (names the reference), `secret.disabled` or `secret.unavailable`. */
  read(reference: SecretReference): Promise<SecretVersion>
}
