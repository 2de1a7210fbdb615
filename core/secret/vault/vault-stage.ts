import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { parsedJson } from '../../reading/parsed-json.ts'
import { encodeDocument } from '../secret-document.ts'
import type { StagedSecret } from '../secret-store.ts'
import { storeUnavailable } from '../store-http.ts'
import { isReadable, type SecretMetadata, type VaultKv } from './vault-kv.ts'

/** Of a secret made or first staged by us; Vault by itself keeps 10, and a rotation makes two. */
const versionsMax = 100
/** Newest versions that are looked through for our rotation: one that repeats comes soon after. */
const lookBackMax = 10
/** Times that somebody else may be first with a version before we give up. */
const attemptsMax = 5

const rotationSchema = z.object({ rotation: z.string() })

/** See `SecretStore.stage`. A version of the rotation that was disabled meanwhile is made again. */
export async function stageInVault(
  kv: VaultKv,
  name: string,
  secret: StagedSecret,
): Promise<string> {
  const document = parsedJson(encodeDocument(secret))
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const metadata = await kv.metadata(name)
    const present = await findRotation(kv, { name, metadata, rotation: secret.rotation })
    if (present !== undefined) return present
    await labelCurrent(kv, name, metadata)
    const written = await kv.write(name, { document, newest: metadata?.newest ?? 0 })
    if (written !== undefined) return written
  }
  throw storeUnavailable(`${name} in Vault is written by others all the time`)
}

async function findRotation(
  kv: VaultKv,
  sought: { name: string; metadata: SecretMetadata | undefined; rotation: string },
): Promise<string | undefined> {
  const { name, metadata, rotation } = sought
  const readable = [...(metadata?.versions ?? [])]
    .filter(([, state]) => isReadable(state))
    .map(([version]) => version)
    .sort((left, right) => Number(right) - Number(left))
  for (const version of readable.slice(0, lookBackMax)) {
    const stored = rotationSchema.safeParse(await readIfThere(kv, name, version))
    if (stored.data?.rotation === rotation) return version
  }
  return undefined
}

/** Somebody may disable a version between the look at the metadata and its reading. */
async function readIfThere(kv: VaultKv, name: string, version: string): Promise<unknown> {
  try {
    return await kv.read(name, version)
  } catch (error) {
    const isGone =
      error instanceof PosternError && ['secret.disabled', 'secret.not_found'].includes(error.code)
    if (isGone) return undefined
    throw error
  }
}

/**
 * Before a new version is there: what has no label has its newest version as the current one, so
 * that label must be written first. Of a new secret it names the first version, which comes next.
 */
async function labelCurrent(
  kv: VaultKv,
  name: string,
  metadata: SecretMetadata | undefined,
): Promise<void> {
  const { labels = {}, newest = 0, versionsMax: kept = 0 } = metadata ?? {}
  if (newest > 0 && labels['current'] !== undefined && kept > 0) return
  const current = newest === 0 ? '1' : (labels['current'] ?? String(newest))
  await kv.setMetadata(name, {
    labels: { ...labels, current },
    ...(kept > 0 ? {} : { versionsMax }),
  })
}
