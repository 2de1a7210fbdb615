import { z } from 'zod'
import type { HeldSecret, HeldVersion, VaultState } from './azure-vault-state.ts'

/** The vendor's limit on a page, on a value in bytes, and on the tags of a version. */
const pageEntriesMax = 25
const valueBytesMax = 25_600
const tagsMax = 15
const tagCharsMax = 256

const tagsSchema = z.record(z.string().max(tagCharsMax), z.string().max(tagCharsMax))
const updateSchema = z.object({
  contentType: z.string().optional(),
  attributes: z.object({ enabled: z.boolean().optional() }).optional(),
  tags: tagsSchema.refine((tags) => Object.keys(tags).length <= tagsMax).optional(),
})
const setSchema = updateSchema.extend({
  value: z.string().refine((value) => Buffer.byteLength(value) <= valueBytesMax),
})

export type VaultRoutes = {
  /** A request that has shown its token. */
  serve(request: Request): Promise<Response>
  /** Where the next page is said to be; undefined: where it is. */
  leadTo(origin: string | undefined): void
}

export function vaultRoutes(state: VaultState): VaultRoutes {
  let nextOrigin: string | undefined

  async function serve(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const [, collection, name = '', rest = ''] = url.pathname.split('/')
    if (!/^[0-9a-zA-Z-]{0,127}$/.test(name)) return azureError(400, 'BadParameter')
    if (collection === 'deletedsecrets') return serveDeleted(request, name, rest)
    if (collection !== 'secrets') return azureError(404, 'NotFound')
    if (name === '') return page(url, [...state.secrets.values()].map(secretItem(url.origin)))
    if (rest === 'versions') return versionsPage(url, name)
    return rest === '' ? await serveBare(request, name) : await serveVersion(request, name, rest)
  }

  async function serveBare(request: Request, name: string): Promise<Response> {
    if (request.method === 'PUT') return await set(request, name)
    if (request.method === 'DELETE') return remove(new URL(request.url).origin, name)
    return await serveVersion(request, name)
  }

  /** By id, as good as any order: the vendor promises none. */
  function versionsPage(url: URL, name: string): Response {
    const versions = state.seen(name).toSorted((a, b) => (a.version < b.version ? -1 : 1))
    return page(url, versions.map(versionItem(url.origin, name)))
  }

  async function serveVersion(request: Request, name: string, id?: string): Promise<Response> {
    const seen = state.seen(name)
    const version = id === undefined ? seen.at(-1) : seen.find((each) => each.version === id)
    if (version === undefined) return azureError(404, 'SecretNotFound')
    const item = versionItem(new URL(request.url).origin, name)
    if (request.method === 'PATCH') return await update(request, version, item)
    if (request.method !== 'GET') return azureError(405, 'MethodNotAllowed')
    if (!version.isEnabled) return azureError(403, 'Forbidden', 'SecretDisabled')
    return Response.json({ ...item(version), value: version.value })
  }

  async function set(request: Request, name: string): Promise<Response> {
    if (state.deleted.has(name.toLowerCase())) {
      return azureError(409, 'Conflict', 'ObjectIsDeletedButRecoverable')
    }
    const parsed = setSchema.safeParse(await request.json().catch(() => undefined))
    if (!parsed.success) return azureError(400, 'BadParameter')
    const { value, contentType, attributes, tags = {} } = parsed.data
    const isEnabled = attributes?.enabled ?? true
    const version = state.add(name, { value, contentType, isEnabled, tags })
    return Response.json({ ...versionItem(new URL(request.url).origin, name)(version), value })
  }

  function remove(origin: string, name: string): Response {
    const secret = state.secrets.get(name.toLowerCase())
    if (secret === undefined) return azureError(404, 'SecretNotFound')
    state.secrets.delete(name.toLowerCase())
    state.deleted.set(name.toLowerCase(), secret)
    return Response.json(deletedItem(origin, secret))
  }

  function serveDeleted({ method, url }: Request, name: string, verb: string): Response {
    const { origin } = new URL(url)
    const secret = state.deleted.get(name.toLowerCase())
    if (secret === undefined) return azureError(404, 'SecretNotFound')
    if (method === 'GET') return Response.json(deletedItem(origin, secret))
    state.deleted.delete(name.toLowerCase())
    if (method === 'DELETE') return new Response(null, { status: 204 })
    if (verb === 'recover') state.secrets.set(name.toLowerCase(), secret)
    return Response.json(secretItem(origin)(secret))
  }

  function page(url: URL, items: readonly object[]): Response {
    const entries = Number(url.searchParams.get('maxresults') ?? pageEntriesMax)
    if (!(entries >= 1 && entries <= pageEntriesMax)) return azureError(400, 'BadParameter')
    const start = Number(url.searchParams.get('$skiptoken') ?? 0)
    const next = new URL(`${nextOrigin ?? url.origin}${url.pathname}${url.search}`)
    next.searchParams.set('$skiptoken', String(start + entries))
    const nextLink = start + entries < items.length ? next.href : null
    return Response.json({ value: items.slice(start, start + entries), nextLink })
  }

  return {
    serve,
    leadTo(origin) {
      nextOrigin = origin
    },
  }
}

/** The tags that are given replace all that were there. */
async function update(
  request: Request,
  version: HeldVersion,
  item: (version: HeldVersion) => object,
): Promise<Response> {
  const parsed = updateSchema.safeParse(await request.json().catch(() => undefined))
  if (!parsed.success) return azureError(400, 'BadParameter')
  version.isEnabled = parsed.data.attributes?.enabled ?? version.isEnabled
  version.tags = parsed.data.tags ?? version.tags
  version.updatedSeconds = Math.floor(Date.now() / 1_000)
  return Response.json(item(version))
}

export function azureError(status: number, code: string, innerCode?: string): Response {
  const innererror = innerCode === undefined ? {} : { innererror: { code: innerCode } }
  const error = { code, message: 'Refused by the double.', ...innererror }
  return Response.json({ error }, { status })
}

function versionItem(origin: string, name: string) {
  return (held: HeldVersion) => ({
    id: `${origin}/secrets/${name}/${held.version}`,
    ...(held.contentType === undefined ? {} : { contentType: held.contentType }),
    attributes: {
      enabled: held.isEnabled,
      created: held.createdSeconds,
      updated: held.updatedSeconds,
      recoveryLevel: 'CustomizedRecoverable+Purgeable',
      recoverableDays: 7,
    },
    ...(Object.keys(held.tags).length === 0 ? {} : { tags: held.tags }),
  })
}

/** Of the newest version, under the id of the secret. */
function secretItem(origin: string) {
  return ({ name, versions }: HeldSecret) => {
    const newest = versions.at(-1)
    if (newest === undefined) throw new Error(`${name} has no version`)
    return { ...versionItem(origin, name)(newest), id: `${origin}/secrets/${name}` }
  }
}

function deletedItem(origin: string, secret: HeldSecret) {
  const now = Math.floor(Date.now() / 1_000)
  return {
    ...secretItem(origin)(secret),
    recoveryId: `${origin}/deletedsecrets/${secret.name}`,
    deletedDate: now,
    scheduledPurgeDate: now + 7 * 86_400,
  }
}
