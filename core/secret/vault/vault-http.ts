import { z } from 'zod'
import { type StoreAnswer, storeHttp, storeUnavailable } from '../store-http.ts'

export type VaultAddress = {
  /** `https://host:port`. */
  readonly address: string
  /** Vault Enterprise and OpenBao; path of the namespace that all paths are in. */
  readonly namespace?: string | undefined
  /** PEM; else the system's roots. */
  readonly ca?: string | undefined
}

export type VaultRequest = {
  readonly method: 'GET' | 'POST'
  /** Below `/v1/`, made by `vaultPath`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  /** What a policy must grant for it, where method and path do not say so. */
  readonly needs?: string
}

/** Without a token for logins alone. */
export type VaultSend = (request: VaultRequest, token?: string) => Promise<StoreAnswer>

export function vaultHttp({ address, namespace, ca }: VaultAddress): VaultSend {
  const call = storeHttp({ ca })
  const base = address.replace(/\/+$/, '')
  return ({ method, path, query, body }, token) =>
    call({
      method,
      url: `${base}/v1/${path}${query === undefined ? '' : `?${new URLSearchParams(query)}`}`,
      headers: {
        // A proxy or agent can be told to refuse what lacks it: a guard against forged requests.
        'x-vault-request': 'true',
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        ...(token === undefined ? {} : { 'x-vault-token': token }),
      },
      ...(body === undefined ? {} : { body }),
    })
}

/**
 * Each part may have slashes of its own; every segment is encoded by itself, empty ones fall away.
 * Throws `secret.unavailable` for dots that a URL would resolve.
 */
export function vaultPath(...parts: readonly string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '')
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw storeUnavailable(`${parts.join('/')} is no path in Vault`)
  }
  return segments.map(encodeURIComponent).join('/')
}

/** Throws `secret.unavailable` for another status than 200 and for what is no such answer. */
export function answerIn<Schema extends z.ZodType>(
  { status, body }: StoreAnswer,
  schema: Schema,
  { path }: VaultRequest,
): z.infer<Schema> {
  if (status !== 200) throw unexpected(status, path)
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw storeUnavailable(`Vault at ${path}: no answer of its API`)
  return parsed.data
}

/** For requests whose answer has nothing in it. Throws `secret.unavailable` for a refusal. */
export function requireDone({ status }: StoreAnswer, { path }: VaultRequest): void {
  if (status !== 200 && status !== 204) throw unexpected(status, path)
}

const refusalSchema = z.object({ errors: z.array(z.string()) })

/** The sentences of a refusal; they can quote a request, so they are compared and never passed on. */
export function refusalOf({ body }: StoreAnswer): readonly string[] | undefined {
  return refusalSchema.safeParse(body).data?.errors
}

/** Nothing is there. A 404 that says why is another matter: no engine at the mount, another API. */
export function isAbsent(answer: StoreAnswer): boolean {
  return answer.status === 404 && refusalOf(answer)?.length === 0
}

function unexpected(status: number, path: string) {
  const hint = status === 404 ? '; is there an engine of the right kind and version?' : ''
  return storeUnavailable(`Vault at ${path}: answered ${status}${hint}`)
}
