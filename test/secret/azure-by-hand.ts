import { z } from 'zod'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'

export type AzureByHand = {
  readonly vaultUrl: string
  readonly token: string
  /** PEM. */
  readonly ca?: string | undefined
}

const apiVersion = '7.4'

/** As the vendor's command line does it: the value alone. Returns the version. */
export async function putAzureSecret(
  vault: AzureByHand,
  name: string,
  members: SecretMembers,
): Promise<string> {
  const body = JSON.stringify({ value: JSON.stringify(members) })
  const answer = await ask(vault, `/secrets/${encodeSecretName(name)}`, { method: 'PUT', body })
  const { id } = z.object({ id: z.url() }).parse(await answer.json())
  return id.split('/').at(-1) ?? ''
}

export async function deleteAzureSecret(vault: AzureByHand, name: string): Promise<void> {
  await ask(vault, `/secrets/${encodeSecretName(name)}`, { method: 'DELETE' })
}

async function ask(
  { vaultUrl, token, ca }: AzureByHand,
  path: string,
  init: { readonly method: string; readonly body?: string },
): Promise<Response> {
  const answer = await fetch(`${vaultUrl}${path}?api-version=${apiVersion}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
  if (!answer.ok) throw new Error(`${init.method} ${path}: ${answer.status}`)
  return answer
}
