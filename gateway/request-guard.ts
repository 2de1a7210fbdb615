import { PosternError } from '#core/errors.ts'
import type { GatewayContext } from './context.ts'

/**
 * Headers that may come once. Bun joins lines of the same name with a comma, which none of these
 * values can hold, so a comma means that two parties wrote one each. `Host` is refused by its alphabet.
 */
const singleHeaders = ['authorization', 'content-type', 'idempotency-key', 'traceparent']

/** A host and a port: what else stands there would end up in the URL and move its path. */
const hostPattern = /^[a-zA-Z0-9.:[\]_-]*$/

/**
 * Refuses requests that two readers understand differently, before anything is decided about
 * them. Throws `request.malformed`.
 */
export function refuseAmbiguous(c: GatewayContext): void {
  const { url, headers } = c.req.raw
  refusePath(url)
  if (!hostPattern.test(headers.get('host') ?? '')) {
    throw malformed('The header host holds no host name.', 'host_odd')
  }
  for (const name of singleHeaders) {
    if (headers.get(name)?.includes(',') !== true) continue
    throw malformed(`The header ${name} stands in the request more than once.`, `repeated_${name}`)
  }
}

const percent = 0x25
const slash = 0x2f
const semicolon = 0x3b
const question = 0x3f
const backslash = 0x5c

/** No resource has a name that needs encoding, so that `%` only serves to hide a character. */
function refusePath(url: string): void {
  const start = url.indexOf('/', url.indexOf(':') + 3)
  let previous = 0
  for (let at = start; at < url.length; at++) {
    const code = url.charCodeAt(at)
    if (code === question) return
    const isOdd = code === percent || code === semicolon || code === backslash
    if (isOdd || (code === slash && previous === slash)) {
      throw malformed('The path holds `//`, `;`, `\\` or `%`; no resource here does.', 'path_odd')
    }
    previous = code
  }
}

function malformed(detail: string, reason: string): PosternError {
  return new PosternError('request.malformed', { detail, reason })
}
