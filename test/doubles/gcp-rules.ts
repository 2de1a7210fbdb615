import { z } from 'zod'
import { crc32c } from '#core/secret/gcp/crc32c.ts'

/** https://cloud.google.com/apis/design/errors, with the HTTP status of each. */
const httpStatuses = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
} as const
type GoogleStatus = keyof typeof httpStatuses

export function googleError(status: GoogleStatus, message: string): Response {
  const code = httpStatuses[status]
  return Response.json({ error: { code, message, status } }, { status: code })
}

const versionStates = ['STATE_UNSPECIFIED', 'ENABLED', 'DISABLED', 'DESTROYED'] as const
type State = (typeof versionStates)[number]
type Version = {
  readonly number: number
  readonly createTime: string
  readonly data: Uint8Array
  readonly checksum: string
  readonly hasClientChecksum: boolean
  state: State
  etag: string
  /** Requests that still do not see it. */
  hiddenFor: number
}
export type Secret = {
  readonly id: string
  readonly createTime: string
  readonly versions: Version[]
  etag: string
  labels: Record<string, string>
  annotations: Record<string, string>
  versionAliases: Record<string, string>
}

const textsSchema = z.record(z.string(), z.string()).default({})
const secretSchema = z.object({
  replication: z.record(z.string(), z.unknown()).optional(),
  etag: z.string().default(''),
  labels: textsSchema,
  annotations: textsSchema,
  versionAliases: textsSchema,
})
const payloadSchema = z.object({
  payload: z.object({ data: z.base64().default(''), dataCrc32c: z.string().optional() }),
})
const etagSchema = z.object({ etag: z.string().default('') })

/** Bytes; https://cloud.google.com/secret-manager/quotas */
const payloadBytesMax = 65_536
const idPattern = /^[A-Za-z0-9_-]{1,255}$/
const aliasPattern = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/
const maskFields: Readonly<Record<string, 'versionAliases' | 'labels' | 'annotations'>> = {
  ...{ version_aliases: 'versionAliases', versionAliases: 'versionAliases' },
  ...{ labels: 'labels', annotations: 'annotations' },
}

let etags = 0
/** With its quotes, as AIP-154 has it. */
function freshEtag(): string {
  etags += 1
  return `"${etags.toString(16).padStart(14, '0')}"`
}

export type Asked = {
  readonly parent: string
  readonly query: URLSearchParams
  readonly body: unknown
}
/** Of a secret that is there. */
export type AskedSecret = Asked & { readonly secret: Secret }

export function createSecret(secrets: Map<string, Secret>, asked: Asked): Response {
  const id = asked.query.get('secretId') ?? ''
  const given = secretSchema.safeParse(asked.body)
  if (!idPattern.test(id)) return googleError('INVALID_ARGUMENT', `Secret ID [${id}] is invalid.`)
  if (!given.success || given.data.replication === undefined) {
    return googleError('INVALID_ARGUMENT', 'Field [secret.replication] is required.')
  }
  if (secrets.has(id)) return googleError('ALREADY_EXISTS', `Secret [${id}] already exists.`)
  const { labels, annotations } = given.data
  const createTime = new Date().toISOString()
  const texts = { labels, annotations, versionAliases: {} }
  const secret: Secret = { id, createTime, versions: [], etag: freshEtag(), ...texts }
  secrets.set(id, secret)
  return Response.json(secretJson(secret, asked.parent))
}

export function getSecret({ secret, parent }: AskedSecret): Response {
  return Response.json(secretJson(secret, parent))
}

export function secretJson(secret: Secret, parent: string): object {
  const { id, createTime, etag, labels, annotations, versionAliases } = secret
  const name = `${parent}/secrets/${id}`
  const all = { name, replication: { automatic: {} }, createTime, etag }
  return { ...all, ...withoutEmpty({ labels, annotations, versionAliases }) }
}

/** JSON of protocol buffers leaves out what is empty. */
function withoutEmpty(maps: Readonly<Record<string, Record<string, string>>>): object {
  return Object.fromEntries(Object.entries(maps).filter(([, map]) => Object.keys(map).length > 0))
}

export function patchSecret({ secret, parent, query, body }: AskedSecret): Response {
  const given = secretSchema.safeParse(body)
  const mask = (query.get('updateMask') ?? '').split(',').map((each) => maskFields[each])
  if (!given.success || mask.includes(undefined)) {
    return googleError('INVALID_ARGUMENT', 'The update mask or the secret is invalid.')
  }
  if (given.data.etag !== '' && given.data.etag !== secret.etag) {
    return googleError('FAILED_PRECONDITION', 'The etag does not match the current one.')
  }
  if (mask.includes('versionAliases')) {
    const fault = aliasFault(secret, given.data.versionAliases)
    if (fault !== undefined) return googleError('INVALID_ARGUMENT', fault)
  }
  for (const field of mask) if (field !== undefined) secret[field] = given.data[field]
  secret.etag = freshEtag()
  return Response.json(secretJson(secret, parent))
}

/**
 * That an alias must name a version that is there is stricter than what is documented, so that
 * nobody relies on more than that.
 */
function aliasFault({ versions }: Secret, aliases: Record<string, string>): string | undefined {
  if (Object.keys(aliases).length > 50) return 'Up to 50 aliases are allowed.'
  for (const [alias, number] of Object.entries(aliases)) {
    if (!aliasPattern.test(alias) || /^(?:latest|new)$/i.test(alias)) return `Alias [${alias}].`
    if (!versions.some((each) => `${each.number}` === number)) return `Version [${number}].`
  }
  return undefined
}

export function addVersion(asked: AskedSecret, hiddenFor: number): Response {
  const { secret } = asked
  const given = payloadSchema.safeParse(asked.body)
  const data = Buffer.from(given.data?.payload.data ?? '', 'base64')
  if (!given.success || data.byteLength === 0) {
    return googleError('INVALID_ARGUMENT', 'Field [payload] is required.')
  }
  if (data.byteLength > payloadBytesMax) {
    return googleError('INVALID_ARGUMENT', 'The payload is too large.')
  }
  const checksum = String(crc32c(data))
  const { dataCrc32c } = given.data.payload
  if (dataCrc32c !== undefined && dataCrc32c !== checksum) {
    return googleError('INVALID_ARGUMENT', 'The payload does not match its checksum.')
  }
  const version: Version = {
    number: secret.versions.length + 1,
    createTime: new Date().toISOString(),
    ...{ data, checksum, hasClientChecksum: dataCrc32c !== undefined },
    ...{ state: 'ENABLED', etag: freshEtag(), hiddenFor },
  }
  secret.versions.push(version)
  return Response.json(versionJson(version, asked))
}

export function versionJson(version: Version, { parent, secret, query }: AskedSecret): object {
  const { createTime, state, etag, hasClientChecksum } = version
  const isNumeric = (query.get('$alt') ?? '').includes('enum-encoding=int')
  return {
    name: `${parent}/secrets/${secret.id}/versions/${version.number}`,
    ...{ createTime, etag, replicationStatus: { automatic: {} } },
    state: isNumeric ? versionStates.indexOf(state) : state,
    ...(hasClientChecksum ? { clientSpecifiedPayloadChecksum: true } : {}),
  }
}

/** Of a version: to get and to access it an alias does, and `latest` is the newest, enabled or not. */
export function askVersion(asked: AskedSecret, id: string, verb: string): Response {
  const { secret, parent } = asked
  const isReading = verb === '' || verb === 'access'
  const newest = secret.versions.at(-1)?.number
  const number = isReading && id === 'latest' ? `${newest}` : id
  const aliased = isReading ? (secret.versionAliases[number] ?? number) : number
  const version = secret.versions.find((each) => `${each.number}` === aliased)
  const name = `${parent}/secrets/${secret.id}/versions/${id}`
  if (version === undefined || version.hiddenFor > 0) {
    if (version !== undefined) version.hiddenFor -= 1
    return googleError('NOT_FOUND', `Secret Version [${name}] not found.`)
  }
  if (verb === '') return Response.json(versionJson(version, asked))
  if (verb === 'access') return access(version, asked)
  return changeState(version, asked, verb)
}

function access(version: Version, { parent, secret }: AskedSecret): Response {
  const name = `${parent}/secrets/${secret.id}/versions/${version.number}`
  if (version.state !== 'ENABLED') {
    const message = `Secret Version [${name}] is in ${version.state} state.`
    return googleError('FAILED_PRECONDITION', message)
  }
  const data = Buffer.from(version.data).toString('base64')
  return Response.json({ name, payload: { data, dataCrc32c: version.checksum } })
}

const statesByVerb: Readonly<Record<string, State>> = {
  ...{ enable: 'ENABLED', disable: 'DISABLED', destroy: 'DESTROYED' },
}

function changeState(version: Version, asked: AskedSecret, verb: string): Response {
  const state = statesByVerb[verb]
  const given = etagSchema.safeParse(asked.body)
  if (state === undefined || !given.success) {
    return googleError('INVALID_ARGUMENT', 'Invalid JSON payload received.')
  }
  if (given.data.etag !== '' && given.data.etag !== version.etag) {
    return googleError('FAILED_PRECONDITION', 'The etag does not match the current one.')
  }
  if (version.state === 'DESTROYED') {
    return googleError('FAILED_PRECONDITION', 'Secret Version is in DESTROYED state.')
  }
  version.state = state
  version.etag = freshEtag()
  return Response.json(versionJson(version, asked))
}

/** One page of what is there, newest first; the token is where the next begins. */
export function page(all: readonly object[], query: URLSearchParams, member: string): Response {
  const size = Number(query.get('pageSize') ?? 0)
  const from = Number(query.get('pageToken') ?? 0)
  const to = from + Math.min(size > 0 ? size : 100, 25_000)
  return Response.json({
    ...(all.length > from ? { [member]: all.slice(from, to) } : {}),
    ...(all.length > to ? { nextPageToken: `${to}` } : {}),
    ...(all.length > 0 ? { totalSize: all.length } : {}),
  })
}
