import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { GatewayContext } from './context.ts'

/** Something a browser is given whole, as it is and packed. */
export type ServedFile = {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly packed: Uint8Array<ArrayBuffer>
  readonly mediaType: string
  /** SHA-256 of the content, in hexadecimal digits. */
  readonly digest: string
}

/** Hexadecimal digits of SHA-256: enough that two builds never share a name. */
const nameDigits = 16

/** For a file whose name changes with its content. A year, the most that caches are asked for. */
export const keptForGood = { 'cache-control': 'public, max-age=31536000, immutable' }

export async function servedFile(text: string, mediaType: string): Promise<ServedFile> {
  const bytes = new TextEncoder().encode(text)
  const digest = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
  const packed = Uint8Array.from(await promisify(gzip)(bytes, { level: 9 }))
  return { bytes, packed, mediaType, digest }
}

/** `console.js` as `console-0123456789abcdef.js`. */
export function nameByContent(name: string, { digest }: ServedFile): string {
  const dot = name.lastIndexOf('.')
  return `${name.slice(0, dot)}-${digest.slice(0, nameDigits)}${name.slice(dot)}`
}

/** Made when it is first asked for, and once; what failed is tried again for whoever asks next. */
export function madeOnce<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make().catch((cause: unknown) => {
      made = undefined
      throw cause
    })
    return made
  }
}

export function answerFile(
  c: GatewayContext,
  { bytes, packed, mediaType, digest }: ServedFile,
  headers: Readonly<Record<string, string>>,
): Response {
  const isPacked = takesGzip(c)
  // RFC 9110, 8.8.3.3: the two have other bytes, and so another tag.
  const etag = isPacked ? `"${digest}-gzip"` : `"${digest}"`
  const told = { ...headers, etag, vary: 'accept-encoding', 'content-type': mediaType }
  for (const [name, value] of Object.entries(told)) c.header(name, value)
  const known = c.req.header('if-none-match')?.split(/\s*,\s*/) ?? []
  if (known.includes(etag)) return c.body(null, 304)
  if (!isPacked) return c.body(bytes, 200)
  c.header('content-encoding', 'gzip')
  return c.body(packed, 200)
}

function takesGzip(c: GatewayContext): boolean {
  const codings = (c.req.header('accept-encoding') ?? '').toLowerCase().split(',')
  return codings.some((coding) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$)|$)/.test(coding))
}
