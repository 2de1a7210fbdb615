import { PosternError } from '../../errors.ts'
import { decodeDocument } from '../secret-document.ts'
import type { ListedVersion, SecretStore } from '../secret-store.ts'
import { secretNotFound, storeUnavailable } from '../store-http.ts'
import { checkEngine } from './vault-engine.ts'
import { isReadable, type SecretMetadata, type VaultKv, vaultKv } from './vault-kv.ts'
import { isVaultName, listInVault } from './vault-list.ts'
import { type VaultSessionOptions, vaultSession } from './vault-session.ts'
import { stageInVault } from './vault-stage.ts'

export type VaultSecretStoreOptions = VaultSessionOptions & {
  /** Of a KV engine of version 2. */
  readonly mount: string
}

/**
 * HashiCorp Vault, or OpenBao, over REST. A version is Vault's number of it. Vault has neither a
 * pending stage nor labels on versions: `custom_metadata` of the secret says which version is
 * current and which was before it, and who reads the bare path gets the newest one, staged or not.
 */
export function vaultSecretStore(options: VaultSecretStoreOptions): SecretStore {
  const ask = vaultSession(options)
  const kv = vaultKv(ask, options.mount)
  return {
    name: 'vault',
    list: () => listInVault(kv),
    versions: async (name) => listed(await found(kv, name)),
    currentVersion: async (name) => currentOf(name, await found(kv, name)),
    async read(name, version) {
      if (!isVaultName(name) || !isVersion(version)) throw secretNotFound(name, version)
      return decodeDocument(await kv.read(name, version), `version ${version} of ${name}`).members
    },
    async stage(name, secret) {
      if (!isVaultName(name)) throw refusedName(name)
      return await stageInVault(kv, name, secret)
    },
    async promote(name, { version, previous }) {
      const { labels } = await foundVersion(kv, name, version)
      if (labels['current'] === version && labels['previous'] === previous) return
      await kv.setMetadata(name, { labels: { ...labels, current: version, previous } })
    },
    async disable(name, version) {
      const { state } = await foundVersion(kv, name, version)
      if (isReadable(state)) await kv.remove(name, version)
    },
    check: () => checkEngine(ask, options.mount),
  }
}

/** Canonical, so that no two texts mean one version. */
function isVersion(text: string): boolean {
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))
}

/** A secret that was prepared and never written has metadata and no version. */
async function found(kv: VaultKv, name: string): Promise<SecretMetadata> {
  const metadata = isVaultName(name) ? await kv.metadata(name) : undefined
  if (metadata === undefined || metadata.newest === 0) throw secretNotFound(name)
  return metadata
}

async function foundVersion(kv: VaultKv, name: string, version: string) {
  const metadata = await found(kv, name)
  const state = metadata.versions.get(version)
  if (state === undefined) throw secretNotFound(name, version)
  return { ...metadata, state }
}

function listed({ versions }: SecretMetadata): readonly ListedVersion[] {
  return [...versions]
    .filter(([, { destroyed }]) => !destroyed)
    .sort(([left], [right]) => Number(right) - Number(left))
    .map(([version, state]) => ({
      version,
      isEnabled: isReadable(state),
      isPending: false,
      createdAt: new Date(state.created_time),
    }))
}

function currentOf(name: string, { labels, newest }: SecretMetadata): string {
  const current = labels['current'] ?? String(newest)
  if (isVersion(current)) return current
  // To take the newest instead could show a version that is staged only.
  throw storeUnavailable(`custom_metadata of ${name} in Vault: current is no version number`)
}

function refusedName(name: string): PosternError {
  const reason = `${name} is no secret name: a-z, 0-9, /, _ and -, up to 127 characters, no empty part`
  return new PosternError('secret.refused', { reason })
}
