import { keySetSchema } from './import-keys.ts'

/** Bytes; a hundred RSA keys with certificate chains stay below it. */
const bodyBytesMax = 262_144

/**
 * The keys that an issuer publishes. Nothing but a 200 counts: a redirect would let whoever holds
 * the issuer's old host name choose the keys. Throws a plain `Error` that names what was wrong.
 */
export async function fetchKeySet(url: string, timeoutMs: number): Promise<readonly unknown[]> {
  const signal = AbortSignal.timeout(timeoutMs)
  const response = await fetch(url, {
    redirect: 'manual',
    signal,
    headers: { accept: 'application/jwk-set+json, application/json' },
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`answered ${response.status}`)
  }
  const parsed = keySetSchema.safeParse(JSON.parse(await readBounded(response)))
  if (!parsed.success) throw new Error('not a key set')
  return parsed.data.keys
}

/** `Content-Length` may lie or be absent; what is counted here is what arrives, decompressed. */
async function readBounded(response: Response): Promise<string> {
  if (response.body === null) throw new Error('empty')
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytes = 0
  let text = ''
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > bodyBytesMax) throw new Error(`longer than ${bodyBytesMax} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
