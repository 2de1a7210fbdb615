import { z } from 'zod'
import type { SecretMembers } from '#core/secret/secret-store.ts'

export type VaultByHand = {
  readonly address: string
  /** An administrator's. */
  readonly token: string
  /** PEM */
  readonly ca?: string | undefined
}

/** A request as the tool `vault` makes it. Throws for what is refused. */
export async function askVault(
  { address, token, ca }: VaultByHand,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const answer = await fetch(`${address}/v1/${path}`, {
    method,
    headers: { 'x-vault-token': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

const writtenSchema = z.object({ data: z.object({ version: z.number() }) })

/** `vault kv put`; returns the version. */
export async function putVaultSecret(
  admin: VaultByHand,
  path: string,
  members: SecretMembers,
): Promise<string> {
  const written = await askVault(admin, 'POST', path, { data: members })
  return String(writtenSchema.parse(written).data.version)
}
