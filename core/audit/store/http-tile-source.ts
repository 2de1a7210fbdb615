import { checkedKind } from './object-path.ts'
import { bundleBytesMax } from './packed-bundle.ts'
import { SourceUnreachable, type TileSource } from './tile-source.ts'

/** Milliseconds for one object; a bundle of the largest records is 16 MiB. */
const objectMsMax = 30_000
/** Further tries after a 5xx, a 429 or a broken connection. */
const retries = 2
const retryMs = 250

/**
 * A published log under a prefix, `https://host/audit/`. `token` is sent as a bearer token. What
 * the media type says is not looked at: the tree says whether the bytes are right.
 */
export function httpTileSource(
  prefix: string,
  options: { readonly token?: string } = {},
): TileSource {
  const base = prefix.endsWith('/') ? prefix : `${prefix}/`
  const headers: Record<string, string> = { accept: '*/*' }
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`

  async function read(path: string): Promise<Uint8Array | undefined> {
    checkedKind(path)
    for (let attempt = 0; ; attempt++) {
      try {
        return await readOnce(`${base}${path}`, headers)
      } catch (cause) {
        const isLast = attempt === retries || (cause instanceof Refused && !cause.isPassing)
        if (isLast) throw new SourceUnreachable(`${base}${path}: ${wordsOf(cause)}`, { cause })
        await Bun.sleep(retryMs * 2 ** attempt)
      }
    }
  }

  return { read }
}

class Refused extends Error {
  readonly isPassing: boolean
  constructor(status: number) {
    super(`answered ${status}`)
    this.isPassing = status >= 500 || status === 429
  }
}

async function readOnce(
  url: string,
  headers: Record<string, string>,
): Promise<Uint8Array | undefined> {
  const signal = AbortSignal.timeout(objectMsMax)
  const answer = await fetch(url, { headers, signal, redirect: 'error' })
  if (answer.status === 404 || answer.status === 410) {
    await answer.body?.cancel()
    return undefined
  }
  if (answer.status !== 200) {
    await answer.body?.cancel()
    throw new Refused(answer.status)
  }
  return await readBounded(answer)
}

async function readBounded(answer: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > bundleBytesMax) throw new Error('the object is larger than any object of a log')
    chunks.push(chunk)
  }
  const declared = answer.headers.get('content-length')
  const isPacked = answer.headers.has('content-encoding')
  if (declared !== null && !isPacked && Number(declared) !== bytes) throw new Error('cut short')
  return new Uint8Array(Buffer.concat(chunks))
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
