import { PosternError } from '../../errors.ts'
import { decodeDocument, encodeDocument } from '../secret-document.ts'
import { decodeSecretName, encodeSecretName } from '../secret-name.ts'
import { isSecretName } from '../secret-reference.ts'
import type { SecretStore, StagedSecret } from '../secret-store.ts'
import { secretNotFound, storeUnavailable } from '../store-http.ts'
import {
  azureBundleSchema,
  azureItemSchema,
  azureRefusal,
  azureVersionOf,
  pathOfId,
} from './azure-answer.ts'
import { type AzureVault, type AzureVaultOptions, azureVault, parsed } from './azure-vault.ts'
import {
  type AzureVersion,
  currentMark,
  currentOf,
  newestFirst,
  promotion,
  stagedUnder,
  stageTags,
} from './azure-version.ts'

/** Characters of a name in the vault. */
const encodedNameCharsMax = 127
/** What the port asks for. */
const namesMax = 1_000

/**
 * Azure Key Vault over its REST API. A version that is written is at once what the bare name gives,
 * therefore nothing here reads the bare name: which version is current stands in tags of the
 * versions. One that somebody puts by hand beside a marked one is current once it is promoted.
 * The identity needs secrets/get and secrets/list, to rotate also secrets/set.
 * https://learn.microsoft.com/rest/api/keyvault/secrets
 */
export function azureSecretStore(options: AzureVaultOptions): SecretStore {
  const vault = azureVault(options)
  return {
    name: 'azure',
    list: () => listNames(vault),
    async versions(name) {
      return (await presentVersions(vault, name)).map(({ version, isEnabled, createdSeconds }) => ({
        ...{ version, isEnabled, isPending: false },
        createdAt: new Date(createdSeconds * 1_000),
      }))
    },
    async currentVersion(name) {
      const current = currentOf(await presentVersions(vault, name))
      if (current === undefined) throw secretNotFound(name)
      return current.version
    },
    async read(name, version) {
      const path = versionPath(name, version)
      const subject = { permission: 'get', name, version } as const
      const answer = await vault.ask({ method: 'GET', path, ...subject })
      if (answer.status !== 200) throw azureRefusal(answer, subject)
      const { id, value } = parsed(answer, azureBundleSchema)
      if (pathOfId(id).version !== version) {
        throw storeUnavailable('the vault answered with another version')
      }
      return decodeDocument(value, `version ${version} of ${name}`).members
    },
    stage: (name, secret) => stage(vault, name, secret),
    async promote(name, { version, previous }) {
      const versions = await presentVersions(vault, name)
      const target = versions.find((each) => each.version === version)
      if (target === undefined) throw secretNotFound(name, version)
      for (const { version: id, tags } of promotion(versions, target, previous)) {
        await patch(vault, { name, version: id, body: { tags } })
      }
    },
    disable: (name, version) =>
      patch(vault, { name, version, body: { attributes: { enabled: false } } }),
    async check() {
      await vault.entries({ path: '/secrets', permission: 'list' }).next()
    },
  }
}

async function listNames(vault: AzureVault): Promise<readonly string[]> {
  const names = new Set<string>()
  for await (const { id, managed } of vault.entries({ path: '/secrets', permission: 'list' })) {
    const name = decodeSecretName(pathOfId(id).name)
    if (name !== undefined && isSecretName(name) && managed !== true) names.add(name)
    if (names.size === namesMax) break
  }
  return [...names].sort()
}

/** Newest first. The vault lists no versions of a name that is not there, or that is soft-deleted. */
async function storedVersions(vault: AzureVault, name: string): Promise<readonly AzureVersion[]> {
  const path = `${secretPath(name)}/versions`
  const versions: AzureVersion[] = []
  for await (const item of vault.entries({ path, permission: 'list', name })) {
    versions.push(azureVersionOf(item))
  }
  return newestFirst(versions)
}

async function presentVersions(vault: AzureVault, name: string): Promise<readonly AzureVersion[]> {
  const versions = await storedVersions(vault, name)
  if (versions.length === 0) throw secretNotFound(name)
  return versions
}

/**
 * Nothing in the vault keeps two from writing for one rotation, so that each looks before its write
 * and once more after it. All who see both choose the same one.
 */
async function stage(vault: AzureVault, name: string, secret: StagedSecret): Promise<string> {
  const value = encodeDocument(secret)
  const before = await storedVersions(vault, name)
  const known = await adopt(vault, { name, versions: before, rotation: secret.rotation })
  if (known !== undefined) return known
  const mark = currentMark(before)
  if (mark !== undefined) {
    await patch(vault, { name, version: mark.version, body: { tags: mark.tags } })
  }
  const tags = stageTags(before, secret.rotation)
  const made = await put(vault, name, { value, tags, contentType: 'application/json' })
  const after = await storedVersions(vault, name)
  const versions = after.some(({ version }) => version === made.version)
    ? after
    : newestFirst([...after, made])
  const chosen = await adopt(vault, { name, versions, rotation: secret.rotation })
  return chosen ?? made.version
}

async function adopt(
  vault: AzureVault,
  {
    name,
    versions,
    rotation,
  }: {
    readonly name: string
    readonly versions: readonly AzureVersion[]
    readonly rotation: string
  },
): Promise<string | undefined> {
  const { staged, strays } = stagedUnder(versions, rotation)
  for (const { version } of strays) {
    await patch(vault, { name, version, body: { attributes: { enabled: false } } })
  }
  return staged?.version
}

async function put(vault: AzureVault, name: string, body: object): Promise<AzureVersion> {
  const subject = { permission: 'set', name } as const
  const answer = await vault.ask({ method: 'PUT', path: secretPath(name), body, ...subject })
  if (answer.status === 400) throw refused(`the vault does not take ${name}`)
  if (answer.status !== 200) throw azureRefusal(answer, subject)
  return azureVersionOf(parsed(answer, azureItemSchema))
}

/** Replaces what `body` names: attributes, or the tags as a whole. */
async function patch(
  vault: AzureVault,
  {
    name,
    version,
    body,
  }: { readonly name: string; readonly version: string; readonly body: object },
): Promise<void> {
  const path = versionPath(name, version)
  const subject = { permission: 'set', name, version } as const
  const answer = await vault.ask({ method: 'PATCH', path, body, ...subject })
  if (answer.status !== 200) throw azureRefusal(answer, subject)
  parsed(answer, azureItemSchema)
}

/** What is no version id is not asked for: the path would be that of the bare name, or of more. */
function versionPath(name: string, version: string): string {
  const path = secretPath(name)
  if (!/^[0-9a-f]{32}$/.test(version)) throw secretNotFound(name, version)
  return `${path}/${version}`
}

function secretPath(name: string): string {
  if (!isSecretName(name)) throw refused(`${name} is no secret name`)
  const encoded = encodeSecretName(name)
  if (encoded.length > encodedNameCharsMax) {
    const reason = `${name} has ${encoded.length} characters in the vault's alphabet`
    throw refused(`${reason}, more than ${encodedNameCharsMax}`)
  }
  return `/secrets/${encoded}`
}

function refused(reason: string): PosternError {
  return new PosternError('secret.refused', { reason, detail: `The secret is refused: ${reason}.` })
}
