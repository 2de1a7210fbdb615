import type { z } from 'zod'
import {
  type StoreAnswer,
  type StoreHttpOptions,
  type StoreRequest,
  storeHttp,
  storeUnavailable,
} from '../store-http.ts'
import { type AzureSubject, azurePageSchema, azureRefusal } from './azure-answer.ts'
import { challengedResource, parseVaultUrl } from './azure-challenge.ts'
import type { AzureLogin } from './azure-login.ts'
import { azureTokens } from './azure-tokens.ts'

/** The newest that the vendor's own client speaks. */
const apiVersionDefault = '2025-07-01'
/** Entries of a page: the most that the vault gives. */
const pageEntries = 25
/** 10,000 entries: a list that is longer, or that leads round in a circle, is given up. */
const pagesMax = 400

export type AzureVaultOptions = StoreHttpOptions & {
  /** `https://<vault>.vault.azure.net`, or http on loopback. */
  readonly vaultUrl: string
  readonly login: AzureLogin
  readonly apiVersion?: string
}

export type AzureQuestion = AzureSubject & {
  readonly method: 'GET' | 'PUT' | 'PATCH'
  /** Below the vault's URL, begins with `/`. */
  readonly path: string
  readonly body?: object
}

type AzureItem = z.infer<typeof azurePageSchema>['value'][number]

export type AzureVault = {
  /** The answer as it came, 401 excepted. Throws `secret.unavailable`. */
  ask(question: AzureQuestion): Promise<StoreAnswer>
  /** Every entry of a list, page by page. Throws what `azureRefusal` makes of a refusal. */
  entries(question: AzureSubject & { readonly path: string }): AsyncGenerator<AzureItem>
}

/** Throws `secret.unavailable` for a URL that no token may be sent to. */
export function azureVault(options: AzureVaultOptions): AzureVault {
  const { origin } = parseVaultUrl(options.vaultUrl)
  const apiVersion = options.apiVersion ?? apiVersionDefault
  const call = authorized(options)

  function urlOf(path: string, query: Readonly<Record<string, string>> = {}): string {
    return `${origin}${path}?${new URLSearchParams({ 'api-version': apiVersion, ...query })}`
  }

  /** The vault says where its next page is; the token goes there only if that is the vault. */
  function nextUrl(link: string): string {
    const url = URL.canParse(link) ? new URL(link) : undefined
    if (url?.origin !== origin) throw storeUnavailable('a list of the vault leads elsewhere')
    return url.href
  }

  return {
    ask({ method, path, body }) {
      return call({ method, url: urlOf(path), ...(body === undefined ? {} : { body }) })
    },
    async *entries({ path, ...subject }) {
      let url = urlOf(path, { maxresults: String(pageEntries) })
      for (let page = 0; page < pagesMax; page += 1) {
        const answer = await call({ method: 'GET', url })
        if (answer.status !== 200) throw azureRefusal(answer, subject)
        const { value, nextLink } = parsed(answer, azurePageSchema)
        yield* value
        if (nextLink === undefined || nextLink === null || nextLink === '') return
        url = nextUrl(nextLink)
      }
      throw storeUnavailable(`a list of the vault has more than ${pagesMax} pages`)
    },
  }
}

/** Throws `secret.unavailable` for what is no answer of the API. */
export function parsed<Schema extends z.ZodType>(
  { body }: StoreAnswer,
  schema: Schema,
): z.output<Schema> {
  const result = schema.safeParse(body)
  if (!result.success) throw storeUnavailable('the vault answered what is no answer of its API')
  return result.data
}

/** Requests with a token, renewed once where the vault refuses it. */
function authorized(options: AzureVaultOptions): (request: StoreRequest) => Promise<StoreAnswer> {
  const vault = parseVaultUrl(options.vaultUrl)
  const http = storeHttp(options)
  const tokens = azureTokens(options.login)
  const probeUrl = `${vault.origin}/secrets?api-version=${options.apiVersion ?? apiVersionDefault}`
  let known: string | undefined

  /** Without a token and without what is to be written: the vault answers whose token it wants. */
  async function askForResource(): Promise<string> {
    const { status, headers } = await http({ method: 'GET', url: probeUrl })
    const resource = status === 401 ? challengedResource(headers, vault) : undefined
    if (resource !== undefined) return resource
    throw storeUnavailable(`${vault.host} does not ask for a token as a vault does (${status})`)
  }

  const send = (request: StoreRequest, token: string) =>
    http({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } })

  return async (request) => {
    known ??= await askForResource()
    const token = await tokens.token(known)
    const first = await send(request, token)
    if (first.status !== 401) return first
    known = challengedResource(first.headers, vault) ?? known
    const second = await send(request, await tokens.renew(known, token))
    if (second.status !== 401) return second
    throw storeUnavailable(`${vault.host} refuses the token of our identity (401)`)
  }
}
