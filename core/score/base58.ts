const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const base = 58n
const digitOf = new Map([...alphabet].map((character, index) => [character, BigInt(index)]))
const addressBytes = 32
/** 2^256 - 1 takes 44 digits; 32 zero bytes are 32 ones. */
const addressCharactersMax = 44

/** The number of bytes a base58 text decodes to, or undefined when it is not base58. */
function decodedBytes(text: string): number | undefined {
  let value = 0n
  for (const character of text) {
    const digit = digitOf.get(character)
    if (digit === undefined) return undefined
    value = value * base + digit
  }
  const leadingZeros = text.length - text.replace(/^1+/, '').length
  const significant = value === 0n ? 0 : Math.ceil(value.toString(16).length / 2)
  return leadingZeros + significant
}

/** Whether a text is a Solana address: base58 that decodes to 32 bytes. On or off the curve. */
export function isAddress(text: string): boolean {
  if (text.length < addressBytes || text.length > addressCharactersMax) return false
  return decodedBytes(text) === addressBytes
}
