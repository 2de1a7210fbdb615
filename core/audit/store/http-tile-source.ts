import { answerBytes, TooLarge } from './answer-bytes.ts'
import { checkedKind } from './object-path.ts'
import { unpackBundle } from './packed-bundle.ts'
import { SourceUnreachable, type TileSource } from './tile-source.ts'

/** Milliseconds for one try of one object; a bundle of the largest records is 16 MiB. */
const objectMsDefault = 30_000
/** Further tries after a 5xx, a 429 or a broken connection. */
const retries = 2
/** Milliseconds before the first of them; twice that before the next; up to half as much again. */
const retryMs = 250

export type HttpOptions = {
  /** Sent as a bearer token. */
  readonly token?: string | undefined
  /** PEM of the authority to trust in place of the usual ones. */
  readonly ca?: string | undefined
  /** Milliseconds for one try of one object, its bytes included. */
  readonly objectMs?: number
}

/**
 * A published log under a prefix, `https://host/audit/`. Redirects are not followed. What the media
 * type says is not looked at: the tree says whether the bytes are right. Throws `TypeError` where
 * the prefix is no URL.
 */
export function httpTileSource(prefix: string, options: HttpOptions = {}): TileSource {
  const base = prefix.endsWith('/') ? prefix : `${prefix}/`
  const { host } = new URL(base)

  async function read(path: string): Promise<Uint8Array | undefined> {
    checkedKind(path)
    try {
      return await retryPassing(() => readObject(`${base}${path}`, options))
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause)
      throw new SourceUnreachable(`${host}: ${path}: ${words}`, { cause })
    }
  }

  return { read }
}

async function retryPassing<Answer>(send: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await send()
    } catch (error) {
      const isFinal = error instanceof Refused || error instanceof TooLarge
      if (isFinal || attempt === retries) throw error
      await Bun.sleep(retryMs * 2 ** attempt * (1 + Math.random() / 2))
    }
  }
}

/** What another try would not change. */
class Refused extends Error {
  override readonly name = 'Refused'
}

async function readObject(url: string, options: HttpOptions): Promise<Uint8Array | undefined> {
  const { token, ca, objectMs = objectMsDefault } = options
  const answer = await fetch(url, {
    headers: {
      // Each packing beyond this one would need a bound of its own.
      'accept-encoding': 'gzip',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    redirect: 'manual',
    // Bun would unpack without a bound.
    decompress: false,
    signal: AbortSignal.timeout(objectMs),
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
  if (answer.status === 200) return await readAnswer(answer)
  await answer.body?.cancel()
  const { status } = answer
  if (status === 404 || status === 410) return undefined
  if (status >= 500 || status === 429) throw new Error(`answered ${status}`)
  throw new Refused(`answered ${status}`)
}

async function readAnswer({ headers, body }: Response): Promise<Uint8Array> {
  const length = headers.get('content-length')
  const bytes = await answerBytes(body, length === null ? undefined : Number(length))
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding === 'identity') return bytes
  if (encoding === 'gzip') return unpackBundle(bytes)
  throw new Refused(`packed as ${encoding}`)
}
