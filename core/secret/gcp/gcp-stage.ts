import { PosternError } from '../../errors.ts'
import { decodeDocument, encodeDocument } from '../secret-document.ts'
import { encodeSecretName } from '../secret-name.ts'
import { isSecretName } from '../secret-reference.ts'
import type { StagedSecret } from '../secret-store.ts'
import { storeUnavailable } from '../store-http.ts'
import type { GcpApi } from './gcp-api.ts'
import { changeAliases, openGcpSecret } from './gcp-secrets.ts'
import {
  accessGcpVersion,
  addGcpVersion,
  disableGcpVersion,
  type GcpVersion,
  listGcpVersions,
} from './gcp-versions.ts'

/** Characters of a secret's id. https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/create */
const secretIdCharsMax = 255
/** Values that are read in search of a rotation's version: what is above the current one are a few. */
const readsMax = 100

/** What `SecretStore.stage` does, in a store that numbers versions itself and enables them at once. */
export async function stageGcpSecret(
  api: GcpApi,
  name: string,
  secret: StagedSecret,
): Promise<string> {
  refuseName(name)
  const document = encodeDocument(secret)
  const { versionAliases } = await openGcpSecret(api, name)
  const current = versionAliases['current']
  const search = ownVersions(api, name, secret.rotation)
  const listed = await versionsFrom(api, name, current)
  let own = await search(listed)
  if (own.length === 0) {
    // Without an alias the newest is current, which the one to be added must not become.
    const newest = listed[0]
    if (current === undefined && newest !== undefined) await keepCurrent(api, name, newest.version)
    const added = await addGcpVersion(api, name, document)
    const twins = await search(await versionsFrom(api, name, current))
    own = [...new Set([...twins, added])]
  }
  const [kept, ...strays] = own.toSorted((left, right) => Number(left) - Number(right))
  if (kept === undefined) throw storeUnavailable(`${name} has no version of the rotation`)
  if (current === undefined) await keepCurrent(api, name, kept)
  for (const version of strays) await disableGcpVersion(api, { name, version })
  return kept
}

function refuseName(name: string): void {
  const chars = encodeSecretName(name).length
  if (chars > secretIdCharsMax) {
    const reason = `the name has ${chars} characters in Secret Manager, which takes ${secretIdCharsMax}`
    throw new PosternError('secret.refused', {
      reason,
      detail: `The secret is refused: ${reason}.`,
    })
  }
  if (isSecretName(name)) return
  const reason = `${name} is no secret name: a-z, 0-9, /, _ and -, up to 127 characters`
  throw new PosternError('secret.refused', { reason })
}

/** Newest first; those below `current` have had their turn. */
async function versionsFrom(
  api: GcpApi,
  name: string,
  current: string | undefined,
): Promise<readonly GcpVersion[]> {
  const listed: GcpVersion[] = []
  for await (const each of listGcpVersions(api, name)) {
    if (Number(each.version) < Number(current ?? 0)) break
    listed.push(each)
  }
  return listed
}

/**
 * Finds the enabled versions of a rotation, in values that it has not read yet. Versions have no
 * member of their own for it: they are told by the document.
 */
function ownVersions(api: GcpApi, name: string, rotation: string) {
  const foreign = new Set<string>()
  return async (listed: readonly GcpVersion[]): Promise<readonly string[]> => {
    const unread = listed.filter(
      ({ version, state }) => state === 'ENABLED' && !foreign.has(version),
    )
    if (unread.length > readsMax) {
      throw storeUnavailable(
        `${name} has ${unread.length} enabled versions from its current one on: disable them, or give the alias current`,
      )
    }
    const own: string[] = []
    for (const { version } of unread) {
      if ((await rotationOf(api, name, version)) === rotation) own.push(version)
      else foreign.add(version)
    }
    return own
  }
}

/** Undefined for one that was put there by hand, or that somebody has disabled meanwhile. */
async function rotationOf(api: GcpApi, name: string, version: string): Promise<string | undefined> {
  const text = await accessGcpVersion(api, { name, version }).catch((error: unknown) => {
    if (isGone(error)) return undefined
    throw error
  })
  return text === undefined ? undefined : rotationIn(text, name)
}

function isGone(error: unknown): boolean {
  if (!(error instanceof PosternError)) return false
  return error.code === 'secret.disabled' || error.code === 'secret.not_found'
}

function rotationIn(text: string, name: string): string | undefined {
  try {
    return decodeDocument(text, name).rotation
  } catch {
    return undefined
  }
}

/** Gives `version` the alias where nobody has it. */
async function keepCurrent(api: GcpApi, name: string, version: string): Promise<void> {
  await changeAliases(api, name, async (aliases) =>
    aliases['current'] === undefined ? { ...aliases, current: version } : undefined,
  )
}
