/** SHA-256, 32 bytes. A plain array: whoever holds one does not write to it. */
export type Hash = Uint8Array

export const hashBytes = 32

// RFC 6962 section 2.1: without the two prefixes a node could be passed off as an entry.
const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** The root of a tree without entries: SHA-256 of nothing. */
export const emptyRoot: Hash = digest(new Bun.SHA256())

/** SHA-256(0x00 ‖ entry), RFC 6962 section 2.1. Entries of any length. */
export function hashLeaf(entry: Uint8Array): Hash {
  return digest(new Bun.SHA256().update(leafPrefix).update(entry))
}

/** SHA-256(0x01 ‖ left ‖ right), RFC 6962 section 2.1. */
export function hashNode(left: Hash, right: Hash): Hash {
  return digest(new Bun.SHA256().update(nodePrefix).update(left).update(right))
}

/**
 * The root over `hashes`: 32 bytes each, end to end, as a tile holds them. For a full tile this is
 * the hash in the level above; for any other count the RFC 6962 tree of that many leaves.
 */
export function hashTree(hashes: Uint8Array): Hash {
  if (hashes.length === 0) return emptyRoot
  let level = hashes
  while (level.length > hashBytes) level = hashPairs(level)
  return level.slice()
}

function hashPairs(level: Uint8Array): Uint8Array {
  const pairs = Math.floor(level.length / (2 * hashBytes))
  const left = level.subarray(pairs * 2 * hashBytes)
  const above = new Uint8Array(pairs * hashBytes + left.length)
  for (let at = 0; at < pairs; at++) {
    const pair = level.subarray(at * 2 * hashBytes, (at + 1) * 2 * hashBytes)
    const hasher = new Bun.SHA256().update(nodePrefix).update(pair)
    hasher.digest(above.subarray(at * hashBytes, (at + 1) * hashBytes))
  }
  // Splitting at the largest power of two carries a node without a sibling up as it is.
  above.set(left, pairs * hashBytes)
  return above
}

export function sameHash(a: Hash, b: Hash): boolean {
  return a.length === hashBytes && b.length === hashBytes && Buffer.compare(a, b) === 0
}

function digest(hasher: Bun.SHA256): Hash {
  const hash = new Uint8Array(hashBytes)
  hasher.digest(hash)
  return hash
}
