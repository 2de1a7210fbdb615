import { z } from 'zod'
import { isSecureUrl } from '../secure-url.ts'
import { secretNotFound, storeHttp, storeUnavailable } from '../store-http.ts'
import type { GcpLogin } from './gcp-login.ts'

/** Of one listing; a project with more secrets than they hold is no place for ours. */
const pagesMax = 100

export type GcpStoreOptions = {
  /** Id or number of the project that holds the secrets. */
  readonly project: string
  readonly login: GcpLogin
  /** Another address of the API; https, or http on loopback. */
  readonly endpoint?: string
  /** PEM; else the system's roots. */
  readonly ca?: string | undefined
  readonly requestMsMax?: number
}

/** Below the project; `path` is in the API's spelling. */
export type GcpRequest = {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
}

/** What the API answers with a meaning of its own: https://cloud.google.com/apis/design/errors */
const meaningfulStatuses = [
  'NOT_FOUND',
  'FAILED_PRECONDITION',
  'ALREADY_EXISTS',
  'ABORTED',
] as const
type MeaningfulStatus = (typeof meaningfulStatuses)[number]

export type GcpAnswer =
  | { readonly status: 'OK'; readonly body: unknown }
  | { readonly status: MeaningfulStatus }

export type GcpApi = (request: GcpRequest) => Promise<GcpAnswer>

const errorSchema = z.object({ error: z.object({ status: z.string().regex(/^[A-Z_]{1,40}$/) }) })

/**
 * Secret Manager's REST API. A token that is refused is renewed once. Throws `secret.unavailable`
 * for any answer that is neither a success nor one of the statuses with a meaning: a 404 without
 * Google's own body is a wrong address, not a secret that is not there.
 */
export function gcpApi({
  project,
  login,
  endpoint = 'https://secretmanager.googleapis.com',
  ca,
  requestMsMax,
}: GcpStoreOptions): GcpApi {
  if (!isSecureUrl(endpoint)) {
    throw storeUnavailable(`${endpoint} is neither https nor on loopback: no token is sent there`)
  }
  const call = storeHttp({ ca, ...(requestMsMax === undefined ? {} : { requestMsMax }) })
  const base = `${endpoint.replace(/\/+$/, '')}/v1/projects/${encodeURIComponent(project)}`
  const { host } = new URL(base)

  const send = async ({ method, path, query = {}, body }: GcpRequest, token: string) =>
    await call({
      method,
      url: `${base}${path}?${new URLSearchParams(query)}`,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    })

  return async (request) => {
    const token = await login()
    const first = await send(request, token)
    const answer = first.status === 401 ? await send(request, await login(token)) : first
    if (answer.status >= 200 && answer.status < 300) return { status: 'OK', body: answer.body }
    const status = errorSchema.safeParse(answer.body).data?.error.status
    const meaningful = meaningfulStatuses.find((each) => each === status)
    if (meaningful !== undefined) return { status: meaningful }
    throw storeUnavailable(
      `${request.method} ${host}: answered ${answer.status} (${status ?? 'no status'})`,
    )
  }
}

/** What a request about a secret has brought. Throws `secret.not_found`, `secret.unavailable`. */
export function bodyOf(answer: GcpAnswer, name: string, version?: string): unknown {
  if (answer.status === 'OK') return answer.body
  if (answer.status === 'NOT_FOUND') throw secretNotFound(name, version)
  throw storeUnavailable(`Secret Manager answered ${answer.status} for ${name}`)
}

/** Throws `secret.unavailable` for what is no answer of the API, without quoting it. */
export function parsedAs<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw storeUnavailable('Secret Manager answered in another form than its API has')
}

const pageSchema = z.object({ nextPageToken: z.string().default('') })

/** The pages of a listing as they come. Throws `secret.unavailable` rather than cut it short. */
export async function* pagesOf(
  api: GcpApi,
  { path, pageSize }: { readonly path: string; readonly pageSize: number },
): AsyncGenerator<GcpAnswer> {
  let pageToken = ''
  for (let page = 0; page < pagesMax; page += 1) {
    const query = { pageSize: `${pageSize}`, ...(pageToken === '' ? {} : { pageToken }) }
    const answer = await api({ method: 'GET', path, query })
    yield answer
    if (answer.status !== 'OK') return
    pageToken = parsedAs(pageSchema, answer.body).nextPageToken
    if (pageToken === '') return
  }
  throw storeUnavailable(`${path} has more than ${pagesMax * pageSize} entries`)
}
