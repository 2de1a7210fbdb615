/** The standard alphabet with padding, RFC 4648 section 4. */
const alphabet = /^[A-Za-z0-9+/]*={0,2}$/

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Undefined for every text that {@link encodeBase64} would not have written. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!alphabet.test(text)) return undefined
  const bytes = new Uint8Array(Buffer.from(text, 'base64'))
  return encodeBase64(bytes) === text ? bytes : undefined
}
