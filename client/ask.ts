import { unlessAborted } from './pause.ts'
import { PosternProblem, withoutToken } from './problem.ts'
import type { TokenSource } from './token.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type Question = {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly signal: AbortSignal | undefined
}

export type OpenAnswer = { readonly response: Response; readonly token: string }

/** With the token there is; once more with another, when the server refuses it. */
export async function ask(
  question: Question,
  { tokens, fetch }: { readonly tokens: TokenSource; readonly fetch: Fetch },
): Promise<OpenAnswer> {
  const token = await unlessAborted(tokens.current(), question.signal)
  const response = await askOnce(question, token, fetch)
  if (response.status !== 401) return { response, token }
  const renewed = await unlessAborted(tokens.renewed(token), question.signal)
  if (renewed === undefined) return { response, token }
  await response.body?.cancel()
  return { response: await askOnce(question, renewed, fetch), token: renewed }
}

async function askOnce(
  { method, url, headers, body, signal }: Question,
  token: string,
  fetch: Fetch,
): Promise<Response> {
  const init: RequestInit = {
    method,
    headers: { ...headers, authorization: `Bearer ${token}` },
    // Whoever is named there is not whom the token was given for.
    redirect: 'manual',
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  }
  const response = await fetch(url.href, init).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw unreachable(error, token)
  })
  // Browsers hide the status of a redirect that they were told not to follow.
  const isRedirect = response.status >= 300 && response.status < 400
  if (response.type !== 'opaqueredirect' && !isRedirect) return response
  await response.body?.cancel()
  throw new PosternProblem({
    code: 'client.redirected',
    status: response.status,
    title: 'Redirected',
    detail: 'The server names another place, which does not get the token. Set baseUrl to it.',
  })
}

/** The words of whatever was thrown, and not the thing, which may hold the request. */
export function unreachable(error: unknown, token: string): PosternProblem {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : 'not an error'
  return new PosternProblem({
    code: 'client.unreachable',
    status: 0,
    title: 'Server not reached',
    cause: new Error(withoutToken(text, token)),
  })
}
