import { isSecretName } from '../secret-reference.ts'
import type { VaultKv } from './vault-kv.ts'

/** As `SecretStore.list` says. */
const namesMax = 1_000
/** Folders that are asked for: each has a name in it, but perhaps none of ours. */
const foldersMax = 1_000

/** Vault takes no path with an empty segment, and mends it by a redirect. */
export function isVaultName(text: string): boolean {
  return isSecretName(text) && !text.includes('//') && !text.endsWith('/')
}

/** Folder by folder: Vault lists one level at a time. */
export async function listInVault(kv: VaultKv): Promise<readonly string[]> {
  const names: string[] = []
  const folders = ['']
  // The loop goes on over what it appends itself.
  for (const [at, folder] of folders.entries()) {
    if (at >= foldersMax || names.length >= namesMax) break
    const paths = (await kv.keys(folder)).map((key) => `${folder}${key}`)
    names.push(...paths.filter(isVaultName))
    folders.push(...paths.filter((path) => path.endsWith('/') && isVaultName(path.slice(0, -1))))
  }
  return names.slice(0, namesMax).sort()
}
