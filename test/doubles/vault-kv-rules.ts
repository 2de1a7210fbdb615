import { z } from 'zod'
import { vaultAbsent, vaultData, vaultDone, vaultErrors } from './vault-answers.ts'

type Version = {
  readonly data: Record<string, unknown>
  readonly created: string
  deleted: string
  destroyed: boolean
}
type Secret = {
  newest: number
  versionsMax: number
  labels: Record<string, string> | null
  readonly created: string
  readonly versions: Map<number, Version>
}

/** What a key keeps that says nothing else. */
const versionsMaxDefault = 10

const writeSchema = z.object({
  options: z.object({ cas: z.int().optional() }).optional(),
  data: z.record(z.string(), z.unknown()),
})
const metadataSchema = z.object({
  max_versions: z.int().optional(),
  custom_metadata: z.record(z.string(), z.string().max(512)).optional(),
})
const versionsSchema = z.object({ versions: z.array(z.int()).min(1) })

export type KvRequest = {
  readonly method: string
  /** `data`, `metadata`, `delete`, `undelete`, `destroy`. */
  readonly part: string
  readonly name: string
  readonly query: URLSearchParams
  readonly body: unknown
}

/** A KV engine of version 2, as OpenBao 2.6 answers. */
export function vaultKvRules(): (request: KvRequest) => Response {
  const secrets = new Map<string, Secret>()

  function write({ name, body }: KvRequest): Response {
    const parsed = writeSchema.safeParse(body)
    if (!parsed.success) return vaultErrors(400, 'no data provided')
    const secret = secrets.get(name) ?? madeSecret()
    const cas = parsed.data.options?.cas
    if (cas !== undefined && cas !== secret.newest) {
      return vaultErrors(400, 'check-and-set parameter did not match the current version')
    }
    secrets.set(name, secret)
    secret.newest += 1
    const version = { data: parsed.data.data, created: moment(), deleted: '', destroyed: false }
    secret.versions.set(secret.newest, version)
    secret.versions.delete(secret.newest - keptOf(secret))
    return vaultData(stateOf(secret, secret.newest, version))
  }

  function read({ name, query }: KvRequest): Response {
    const secret = secrets.get(name)
    const number = Number(query.get('version') ?? 0) || (secret?.newest ?? 0)
    const version = secret?.versions.get(number)
    if (secret === undefined || version === undefined) return vaultAbsent()
    const metadata = stateOf(secret, number, version)
    if (isDead(version)) return vaultData({ data: null, metadata }, { status: 404 })
    return vaultData({ data: version.data, metadata })
  }

  function setMetadata({ name, body }: KvRequest): Response {
    const parsed = metadataSchema.safeParse(body)
    if (!parsed.success) return vaultErrors(400, 'custom_metadata validation failed')
    const secret = secrets.get(name) ?? madeSecret()
    secrets.set(name, secret)
    secret.versionsMax = parsed.data.max_versions ?? secret.versionsMax
    secret.labels = parsed.data.custom_metadata ?? secret.labels
    return vaultDone()
  }

  function list(folder: string): Response {
    const stem = folder === '' || folder.endsWith('/') ? folder : `${folder}/`
    const below = [...secrets.keys()]
      .filter((name) => name.startsWith(stem))
      .map((name) => name.slice(stem.length).replace(/\/.*/, '/'))
    if (below.length === 0) return vaultAbsent()
    return vaultData({ keys: [...new Set(below)].sort() })
  }

  function changeVersions({ name, body }: KvRequest, change: (version: Version) => void): Response {
    const parsed = versionsSchema.safeParse(body)
    if (!parsed.success) return vaultErrors(400, 'No version number provided')
    for (const number of parsed.data.versions) {
      const version = secrets.get(name)?.versions.get(number)
      if (version !== undefined && !version.destroyed) change(version)
    }
    return vaultDone()
  }

  return (request) => {
    const { method, part, name, query } = request
    const isListing = query.get('list') === 'true'
    switch (`${isListing ? 'LIST' : method} ${part}`) {
      case 'GET data':
        return read(request)
      case 'POST data':
        return write(request)
      case 'LIST metadata':
        return list(name)
      case 'GET metadata':
        return metadataOf(secrets.get(name))
      case 'POST metadata':
        return setMetadata(request)
      case 'DELETE metadata':
        secrets.delete(name)
        return vaultDone()
      case 'POST delete':
        return changeVersions(request, (version) => {
          version.deleted ||= moment()
        })
      case 'POST undelete':
        return changeVersions(request, (version) => {
          version.deleted = ''
        })
      case 'POST destroy':
        return changeVersions(request, (version) => {
          version.destroyed = true
        })
      default:
        return vaultErrors(405, 'unsupported operation')
    }
  }
}

function madeSecret(): Secret {
  return { newest: 0, versionsMax: 0, labels: null, created: moment(), versions: new Map() }
}

function keptOf({ versionsMax }: Secret): number {
  return versionsMax === 0 ? versionsMaxDefault : versionsMax
}

/** With nanoseconds, as Go writes it. */
function moment(): string {
  return new Date().toISOString().replace('Z', '123456Z')
}

function isDead({ deleted, destroyed }: Version): boolean {
  return destroyed || (deleted !== '' && Date.parse(deleted) < Date.now() + 1)
}

function stateOf({ labels }: Secret, number: number, version: Version): object {
  const { created, deleted, destroyed } = version
  return {
    ...{ version: number, created_time: created, deletion_time: deleted, destroyed },
    custom_metadata: labels,
  }
}

function metadataOf(secret: Secret | undefined): Response {
  if (secret === undefined) return vaultAbsent()
  const versions = [...secret.versions].map(([number, { created, deleted, destroyed }]) => [
    String(number),
    { created_time: created, deletion_time: deleted, destroyed },
  ])
  return vaultData({
    ...{ cas_required: false, delete_version_after: '0s' },
    // 0 until the first one has gone.
    oldest_version: secret.newest > keptOf(secret) ? secret.newest - keptOf(secret) + 1 : 0,
    ...{ created_time: secret.created, updated_time: secret.created },
    current_version: secret.newest,
    max_versions: secret.versionsMax,
    custom_metadata: secret.labels,
    versions: Object.fromEntries(versions),
  })
}
