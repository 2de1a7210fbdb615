import { z } from 'zod'
import { PosternError } from '../errors.ts'
import {
  readSealedFile,
  type SealedFileOptions,
  type SealedSecret,
  type SealedSecrets,
  type SealedVersion,
  updateSealedFile,
} from './sealed-file.ts'
import { decodeDocument, encodeDocument } from './secret-document.ts'
import { isSecretName } from './secret-reference.ts'
import type { SecretStore, StagedSecret } from './secret-store.ts'
import { secretDisabled, secretNotFound } from './store-http.ts'

/** Versions of a secret that are kept; the oldest go first, the current one never. */
const versionsMax = 10

/** One encrypted JSON file. Every read opens it anew, so that a replaced file is seen at once. */
export function fileSecretStore(options: SealedFileOptions): SecretStore {
  const load = async (name: string) => found(await readSealedFile(options), name)
  const change = (name: string, make: (secret: SealedSecret) => SealedSecret) =>
    updateSealedFile(options, (secrets) => ({
      secrets: { ...secrets, [name]: make(found(secrets, name)) },
      result: undefined,
    }))
  return {
    name: 'file',
    list: async () => Object.keys(await readSealedFile(options)).sort(),
    async versions(name) {
      return (await load(name)).versions
        .map(({ version, isEnabled, createdAt }) => ({
          version: String(version),
          ...{ isEnabled, isPending: false, createdAt: new Date(createdAt) },
        }))
        .reverse()
    },
    currentVersion: async (name) => String((await load(name)).current),
    async read(name, version) {
      const stored = versionOf(await load(name), name, version)
      if (!stored.isEnabled) throw secretDisabled(name, version)
      return stored.members
    },
    stage: async (name, secret) => await stage(options, { name, secret, isCurrent: false }),
    promote: (name, { version }) =>
      change(name, (secret) => ({
        ...secret,
        current: versionOf(secret, name, version).version,
      })),
    disable: (name, version) =>
      change(name, (secret) => {
        const disabled = versionOf(secret, name, version)
        const versions = secret.versions.map((each) =>
          each === disabled ? { ...each, isEnabled: false, members: {} } : each,
        )
        return { ...secret, versions }
      }),
    async check() {
      await readSealedFile(options)
    },
  }
}

/** Names, current versions and member names of what the file holds; no values. */
export async function listFileSecrets(options: SealedFileOptions): Promise<
  readonly {
    readonly name: string
    readonly version: string
    readonly members: readonly string[]
  }[]
> {
  return Object.entries(await readSealedFile(options))
    .map(([name, { current, versions }]) => ({
      name,
      version: String(current),
      members: Object.keys(versions.find((each) => each.version === current)?.members ?? {}).sort(),
    }))
    .sort((left, right) => left.name.localeCompare(right.name))
}

const membersSchema = z.record(z.string(), z.string())

/** Puts a secret by an operator's hand: all its members at once, current at once. */
export async function writeFileSecret(
  options: SealedFileOptions & { readonly name: string; readonly members: unknown },
): Promise<{ readonly version: string }> {
  const { name } = options
  const members = membersSchema.safeParse(options.members)
  if (!members.success) {
    const reason = 'a secret is a JSON object of names and non-empty texts'
    throw new PosternError('secret.refused', { reason })
  }
  const secret = { members: members.data, rotation: Bun.randomUUIDv7() }
  return { version: await stage(options, { name, secret, isCurrent: true }) }
}

type Staging = {
  readonly name: string
  readonly secret: StagedSecret
  readonly isCurrent: boolean
}

async function stage(options: SealedFileOptions, { name, secret, isCurrent }: Staging) {
  if (!isSecretName(name)) {
    const reason = `${name} is no secret name: a-z, 0-9, /, _ and -, up to 127 characters`
    throw new PosternError('secret.refused', { reason })
  }
  const { members, rotation } = decodeDocument(encodeDocument(secret), name)
  return await updateSealedFile(options, (secrets) => {
    const known = Object.hasOwn(secrets, name) ? secrets[name] : undefined
    const present = known?.versions.find((each) => each.rotation === secret.rotation)
    if (present !== undefined) return { secrets: undefined, result: String(present.version) }
    const version = (known?.versions.at(-1)?.version ?? 0) + 1
    const added: SealedVersion = {
      ...{ version, isEnabled: true, members, rotation: rotation ?? '' },
      createdAt: new Date().toISOString(),
    }
    const current = isCurrent || known === undefined ? version : known.current
    const versions = kept([...(known?.versions ?? []), added], current)
    return { secrets: { ...secrets, [name]: { current, versions } }, result: String(version) }
  })
}

function kept(versions: readonly SealedVersion[], current: number): readonly SealedVersion[] {
  const newest = versions.slice(-versionsMax)
  return versions.filter((each) => each.version === current || newest.includes(each))
}

function found(secrets: SealedSecrets, name: string): SealedSecret {
  const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined
  if (secret === undefined) throw secretNotFound(name)
  return secret
}

function versionOf(secret: SealedSecret, name: string, version: string): SealedVersion {
  const stored = secret.versions.find((each) => String(each.version) === version)
  if (stored === undefined) throw secretNotFound(name, version)
  return stored
}
