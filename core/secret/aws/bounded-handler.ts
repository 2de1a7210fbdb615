import { readBoundedText } from '../../reading/read-bounded-text.ts'

/** Milliseconds for one try, its answer included. */
const requestMsMaxDefault = 4_000
/** Bytes; a page of 100 secrets with every tag and description they may have is below it. */
const answerBytesMax = 4_194_304

/** What the SDK hands over, signed. */
type SdkRequest = {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
}

export type BoundedHandlerOptions = {
  /** PEM; else the system's roots. */
  readonly ca?: string | undefined
  readonly requestMsMax?: number
}

/**
 * The SDK's way to the network, with what its own handler lacks: an answer is read whole, within a
 * limit of time and of bytes. Redirects are not followed. A failure is named `TimeoutError`,
 * because of that name the SDK knows that another try may help.
 */
export function boundedHandler({ ca, requestMsMax = requestMsMaxDefault }: BoundedHandlerOptions) {
  return {
    async handle(
      request: SdkRequest,
      { abortSignal }: { readonly abortSignal?: AbortSignal } = {},
    ): Promise<{
      response: { statusCode: number; headers: Record<string, string>; body: Uint8Array }
    }> {
      const late = AbortSignal.timeout(requestMsMax)
      const answer = await fetch(urlOf(request), {
        method: request.method,
        headers: request.headers,
        redirect: 'manual',
        signal: abortSignal === undefined ? late : AbortSignal.any([late, abortSignal]),
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(ca === undefined ? {} : { tls: { ca } }),
      }).catch((cause: unknown) => {
        throw passing('no answer', cause)
      })
      const limits = { bytesMax: answerBytesMax, timeoutMs: requestMsMax }
      const text = await readBoundedText(answer, limits).catch((cause: unknown) => {
        throw passing('the answer broke off', cause)
      })
      if (typeof text !== 'string') throw passing(text.reason)
      const headers = Object.fromEntries(answer.headers)
      return {
        response: { statusCode: answer.status, headers, body: new TextEncoder().encode(text) },
      }
    },
    // The two that the SDK's type of a handler has besides.
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  }
}

function urlOf({ protocol, hostname, port, path, query = {} }: SdkRequest): string {
  const host = port === undefined ? hostname : `${hostname}:${port}`
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    (typeof value === 'string' || value === null ? [value] : value).map((each) =>
      each === null
        ? encodeURIComponent(key)
        : `${encodeURIComponent(key)}=${encodeURIComponent(each)}`,
    ),
  )
  return `${protocol}//${host}${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`
}

function passing(reason: string, cause?: unknown): Error {
  return Object.assign(new Error(reason, { cause }), { name: 'TimeoutError' })
}
