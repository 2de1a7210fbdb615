import { z } from 'zod'
import { encodeSecretName } from '../secret-name.ts'
import { isSecretName } from '../secret-reference.ts'
import { secretNotFound, storeUnavailable } from '../store-http.ts'
import { bodyOf, type GcpApi, pagesOf, parsedAs } from './gcp-api.ts'

/** A secret carries up to 16 KiB of annotations: pages of so many stay below an answer's bytes. */
const secretsPerPage = 100
/** Writers of one secret's labels are an operator and the rotation: nobody loses five times. */
const attemptsMax = 5

/** A version number as the API writes it; 15 digits are exact as a JavaScript number. */
export const versionPattern = /^[1-9]\d{0,14}$/

const secretSchema = z.object({
  etag: z.string().min(1),
  versionAliases: z.record(z.string(), z.string().regex(versionPattern)).default({}),
})
const secretPageSchema = z.object({
  secrets: z.array(z.object({ name: z.string() })).default([]),
})

export type GcpSecret = {
  readonly etag: string
  /** Version by alias, those of other people too. */
  readonly versionAliases: Readonly<Record<string, string>>
}

/** Throws `secret.not_found` for what is no name and would be another path. */
export function secretPath(name: string): string {
  if (!isSecretName(name)) throw secretNotFound(name)
  return `/secrets/${encodeSecretName(name)}`
}

export async function readGcpSecret(api: GcpApi, name: string): Promise<GcpSecret> {
  const answer = await api({ method: 'GET', path: secretPath(name) })
  return parsedAs(secretSchema, bodyOf(answer, name))
}

/** The secret, made if there is none; a twin that makes it meanwhile is as good. */
export async function openGcpSecret(api: GcpApi, name: string): Promise<GcpSecret> {
  const path = secretPath(name)
  const found = await api({ method: 'GET', path })
  if (found.status !== 'NOT_FOUND') return parsedAs(secretSchema, bodyOf(found, name))
  const made = await api({
    method: 'POST',
    path: '/secrets',
    query: { secretId: encodeSecretName(name) },
    body: { replication: { automatic: {} } },
  })
  if (made.status === 'ALREADY_EXISTS') return await readGcpSecret(api, name)
  return parsedAs(secretSchema, bodyOf(made, name))
}

/** In the API's spelling, other people's too. Throws `secret.unavailable`. */
export async function* listGcpSecretIds(api: GcpApi): AsyncGenerator<string> {
  for await (const answer of pagesOf(api, { path: '/secrets', pageSize: secretsPerPage })) {
    if (answer.status !== 'OK') throw storeUnavailable(`the project's listing: ${answer.status}`)
    for (const { name } of parsedAs(secretPageSchema, answer.body).secrets) yield lastSegment(name)
  }
}

/** The API answers with the project's number where it was asked by its id. */
export function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/**
 * Sets aliases as `change` makes them of what is there, read anew when somebody else was first;
 * undefined leaves them. Throws `secret.not_found`, `secret.unavailable`.
 */
export async function changeAliases(
  api: GcpApi,
  name: string,
  change: (
    aliases: GcpSecret['versionAliases'],
  ) => Promise<GcpSecret['versionAliases'] | undefined>,
): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const { etag, versionAliases } = await readGcpSecret(api, name)
    const changed = await change(versionAliases)
    if (changed === undefined) return
    const answer = await api({
      method: 'PATCH',
      path: secretPath(name),
      query: { updateMask: 'version_aliases' },
      body: { etag, versionAliases: changed },
    })
    if (answer.status === 'FAILED_PRECONDITION' || answer.status === 'ABORTED') continue
    parsedAs(secretSchema, bodyOf(answer, name))
    return
  }
  throw storeUnavailable(`the aliases of ${name} were changed by others ${attemptsMax} times`)
}
