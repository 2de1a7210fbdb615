/** What is wrong with a body, as the status to answer. */
export type BodyRefusal = { readonly status: 400 | 408 | 413; readonly reason: string }

/**
 * A body as text. What is counted is what arrives; a sender that drips is cut off at `timeoutMs`
 * (milliseconds). Strict UTF-8, a byte order mark is kept as the character it is.
 */
export async function readBoundedText(
  { body }: Pick<Request, 'body'>,
  { bytesMax, timeoutMs }: { readonly bytesMax: number; readonly timeoutMs: number },
): Promise<string | BodyRefusal> {
  if (body === null) return ''
  const reader = body.getReader()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    void reader.cancel().catch(() => undefined)
  }, timeoutMs)
  try {
    const bytes = await readAtMost(reader, bytesMax)
    if (isLate) return { status: 408, reason: 'the body came too slowly' }
    if (bytes === undefined) return { status: 413, reason: `the body is over ${bytesMax} bytes` }
    return decode(bytes) ?? { status: 400, reason: 'the body is not UTF-8' }
  } finally {
    clearTimeout(timer)
  }
}

async function readAtMost(
  reader: Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    bytes += value.byteLength
    if (bytes > bytesMax) {
      void reader.cancel().catch(() => undefined)
      return undefined
    }
    chunks.push(value)
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
