import { bundleBytesMax } from './packed-bundle.ts'

/** More bytes than any object of a log has; another try would not change it. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}

/** The bytes of an answer ended before their end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/**
 * Reads an answer's body to its end; `declared` is its length where the answer told it. Throws
 * `TooLarge` and `Interrupted`.
 */
export async function answerBytes(
  body: ReadableStream<Uint8Array> | null,
  declared: number | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of body ?? []) {
      length += chunk.length
      if (length > bundleBytesMax) throw new TooLarge('larger than any object of a log')
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof TooLarge) throw cause
    throw new Interrupted(`broken off after ${length} bytes`, { cause })
  }
  if (declared === undefined || declared === length) return new Uint8Array(Buffer.concat(chunks))
  throw new Interrupted(`${length} of ${declared} bytes`)
}
