import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { vaultDouble } from '#test/doubles/vault-double.ts'
import { vaultProofs, vaultRootToken } from '#test/doubles/vault-logins.ts'
import type { Way } from '#test/support/toxiproxy.ts'

/** A double of Vault with these secrets, and what a process must be told to find it. */
export async function openSecretServer(
  folder: string,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
  lead: (port: number) => Promise<Way>,
) {
  const vault = vaultDouble()
  for (const [name, data] of Object.entries(secrets)) {
    const answer = await fetch(`${vault.url}/v1/secret/data/${name}`, {
      method: 'POST',
      headers: { 'x-vault-token': vaultRootToken },
      body: JSON.stringify({ data }),
    })
    if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`)
  }
  const way = await lead(Number(new URL(vault.url).port))
  const bootstrap = join(folder, 'secret-id')
  await writeFile(bootstrap, vaultProofs.secretId, { mode: 0o400 })
  return {
    way,
    environment: {
      POSTERN_SECRET_STORE: 'vault',
      POSTERN_VAULT_ADDRESS: `http://127.0.0.1:${way.port}`,
      POSTERN_VAULT_ROLE: vaultProofs.roleId,
      POSTERN_SECRET_BOOTSTRAP_FILE: bootstrap,
    },
    stop: () => vault.stop(),
  }
}
