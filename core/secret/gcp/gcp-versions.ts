import { z } from 'zod'
import { secretDisabled, secretNotFound, storeUnavailable } from '../store-http.ts'
import { crc32c } from './crc32c.ts'
import { bodyOf, type GcpApi, pagesOf, parsedAs } from './gcp-api.ts'
import { lastSegment, secretPath, versionPattern } from './gcp-secrets.ts'

/** A version's metadata takes up to some 2 KB, with a key of its own in each of several regions. */
const versionsPerPage = 250

const versionSchema = z
  .object({
    name: z.string(),
    state: z.string().min(1),
    createTime: z.iso.datetime({ offset: true }),
  })
  .transform(({ name, state, createTime }) => ({
    version: lastSegment(name),
    state,
    createdAt: new Date(createTime),
  }))
  .refine(({ version }) => versionPattern.test(version))
const versionPageSchema = z.object({ versions: z.array(versionSchema).default([]) })
const accessSchema = z.object({
  name: z.string(),
  payload: z.object({ data: z.base64(), dataCrc32c: z.string() }),
})

export type GcpVersion = {
  readonly version: string
  /** `ENABLED`, `DISABLED` or `DESTROYED`. */
  readonly state: string
  readonly createdAt: Date
}

/** A version of a secret by its number. */
export type VersionPlace = { readonly name: string; readonly version: string }

/** The API would take `latest` or an alias for a version: what is no number is not asked. */
function versionPath({ name, version }: VersionPlace): string {
  const path = secretPath(name)
  if (!versionPattern.test(version)) throw secretNotFound(name, version)
  return `${path}/versions/${version}`
}

export async function readGcpVersion(api: GcpApi, place: VersionPlace): Promise<GcpVersion> {
  const answer = await api({ method: 'GET', path: versionPath(place) })
  return parsedAs(versionSchema, bodyOf(answer, place.name, place.version))
}

/** Newest first, without the destroyed ones. Throws `secret.not_found`. */
export async function* listGcpVersions(api: GcpApi, name: string): AsyncGenerator<GcpVersion> {
  const path = `${secretPath(name)}/versions`
  for await (const answer of pagesOf(api, { path, pageSize: versionsPerPage })) {
    for (const each of parsedAs(versionPageSchema, bodyOf(answer, name)).versions) {
      if (each.state !== 'DESTROYED') yield each
    }
  }
}

/**
 * The value of a version. Throws `secret.disabled` for one that was disabled or destroyed, which
 * takes `secretmanager.versions.get` to tell: a key that is away has the same status.
 */
export async function accessGcpVersion(api: GcpApi, place: VersionPlace): Promise<string> {
  const { name, version } = place
  const answer = await api({ method: 'GET', path: `${versionPath(place)}:access` })
  if (answer.status === 'FAILED_PRECONDITION') {
    const { state } = await readGcpVersion(api, place)
    if (state !== 'ENABLED') throw secretDisabled(name, version)
  }
  const { name: answered, payload } = parsedAs(accessSchema, bodyOf(answer, name, version))
  const bytes = Buffer.from(payload.data, 'base64')
  if (lastSegment(answered) !== version) {
    throw storeUnavailable(`asked for version ${version} of ${name}, another came`)
  }
  if (payload.dataCrc32c !== String(crc32c(bytes))) {
    throw storeUnavailable(`version ${version} of ${name} came torn: its checksum differs`)
  }
  return bytes.toString('utf8')
}

/** Adds an enabled version; the service refuses what does not arrive as its checksum says. */
export async function addGcpVersion(api: GcpApi, name: string, value: string): Promise<string> {
  const bytes = Buffer.from(value)
  const answer = await api({
    method: 'POST',
    path: `${secretPath(name)}:addVersion`,
    body: { payload: { data: bytes.toString('base64'), dataCrc32c: String(crc32c(bytes)) } },
  })
  return parsedAs(versionSchema, bodyOf(answer, name)).version
}

/** Disables a version, whatever it is by now; a destroyed one is left as it is. */
export async function disableGcpVersion(api: GcpApi, place: VersionPlace): Promise<void> {
  const { name, version } = place
  const path = `${versionPath(place)}:disable`
  const answer = await api({ method: 'POST', path, body: {} })
  const { state } =
    answer.status === 'FAILED_PRECONDITION'
      ? await readGcpVersion(api, place)
      : parsedAs(versionSchema, bodyOf(answer, name, version))
  if (state === 'ENABLED') throw storeUnavailable(`version ${version} of ${name} stays enabled`)
}
