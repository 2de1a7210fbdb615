/** A place in bytes that are read from left to right, and where they end. */
export type ByteCursor = { bytes: Uint8Array; at: number; end: number }

const zero = 0x30

/** The value of the digits here, at most `countMax` of them; `at` tells how many there were. */
export function digits(cursor: ByteCursor, countMax: number): number {
  const { bytes } = cursor
  const limit = Math.min(cursor.end, cursor.at + countMax)
  let at = cursor.at
  let value = 0
  for (; at < limit; at += 1) {
    const digit = (bytes[at] ?? 0) - zero
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
  }
  cursor.at = at
  return value
}

/** NaN unless there are so many. */
export function fixedDigits(cursor: ByteCursor, count: number): number {
  const from = cursor.at
  const value = digits(cursor, count)
  return cursor.at === from + count ? value : Number.NaN
}

/** Goes beyond this byte if it stands here. */
export function isAt(cursor: ByteCursor, byte: number): boolean {
  if (cursor.at >= cursor.end || cursor.bytes[cursor.at] !== byte) return false
  cursor.at += 1
  return true
}
