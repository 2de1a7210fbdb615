import { z } from 'zod'
import { isLoopback } from '../secret/secure-url.ts'
import { told } from '../settings/setting-shapes.ts'

/** One request in ten: enough to see what is slow, and a tenth of the cost. */
const sampleDefault = 0.1
/** Characters of a URL; as of a callback. */
const endpointCharactersMax = 2_048
/** Headers that a collector may want; vendors ask for one or two. */
const headersMax = 16

/** A part of the environment's schema: the settings of traces, all of them without effect alone. */
export const otlpSettings = {
  POSTERN_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .max(endpointCharactersMax)
    .optional()
    .meta(told('base URL of a collector of traces, `/v1/traces` is added; off without')),
  POSTERN_OTLP_SAMPLE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(sampleDefault)
    .meta(told('share of requests without a `traceparent` that begin a trace, 0 to 1')),
  /** A credential, `name=value` with commas between them. */
  POSTERN_OTLP_HEADERS: z
    .string()
    .min(1)
    .optional()
    .meta(
      told(
        'secret reference; `name=value` pairs with commas that the collector wants, over https only',
      ),
    ),
}

/** Never repeats what may hold a password. */
export function otlpProblems(config: {
  readonly POSTERN_OTLP_ENDPOINT?: string | undefined
  readonly POSTERN_OTLP_HEADERS?: string | undefined
}): string[] {
  const { POSTERN_OTLP_ENDPOINT: endpoint, POSTERN_OTLP_HEADERS: headers } = config
  if (endpoint === undefined) {
    return headers === undefined ? [] : ['POSTERN_OTLP_ENDPOINT: required by POSTERN_OTLP_HEADERS']
  }
  const { protocol, hostname, search, hash, username, password } = new URL(endpoint)
  const name = 'POSTERN_OTLP_ENDPOINT'
  if (`${username}${password}${search}${hash}` !== '') {
    return [
      `${name}: more than scheme, host, port and path; credentials go to POSTERN_OTLP_HEADERS`,
    ]
  }
  if (headers === undefined || protocol === 'https:' || isLoopback(hostname)) return []
  return [`${name}: not https, and POSTERN_OTLP_HEADERS would be sent in clear`]
}

/** RFC 9110, 5.6.2. */
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const visiblePattern = /^[\x20-\x7e]+$/
/** Ours to say. */
const reserved: ReadonlySet<string> = new Set([
  ...['content-type', 'content-length', 'content-encoding', 'host', 'transfer-encoding'],
])

/**
 * `name=value,name=value`, each value percent-encoded, as OpenTelemetry writes headers. Undefined for
 * anything else, and for headers that are ours to say.
 */
export function parseOtlpHeaders(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text.split(',').map((pair): readonly [string, string] => {
    const at = pair.indexOf('=')
    const name = pair.slice(0, Math.max(at, 0)).trim().toLowerCase()
    const value = decoded(pair.slice(at + 1).trim())
    return [name, value]
  })
  const areGood = pairs.every(
    ([name, value]) => tokenPattern.test(name) && visiblePattern.test(value) && !reserved.has(name),
  )
  return areGood && pairs.length <= headersMax ? Object.fromEntries(pairs) : undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
