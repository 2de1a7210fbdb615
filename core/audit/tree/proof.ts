import { emptyRoot, type Hash, hashBytes, hashNode, sameHash } from './hash.ts'

/**
 * Proof verification, RFC 9162 sections 2.1.3.2 and 2.1.4.2. Whatever is not a proof is false; nothing
 * is thrown at the sender. Numbers are halved by division: bitwise operators cut at 32 bits.
 */

export type InclusionClaim = {
  readonly index: number
  readonly size: number
  /** The leaf's hash, not the entry. */
  readonly leaf: Hash
  /** From the leaf's sibling upward. */
  readonly proof: readonly Hash[]
  readonly root: Hash
}

export function verifyInclusion({ index, size, leaf, proof, root }: InclusionClaim): boolean {
  if (!(isSize(index) && isSize(size) && index < size)) return false
  if (!areHashes([leaf, root, ...proof])) return false
  let place: Place = { node: index, last: size - 1 }
  let hash = leaf
  for (const sibling of proof) {
    if (place.last === 0) return false
    const isRight = isRightChild(place)
    hash = isRight ? hashNode(sibling, hash) : hashNode(hash, sibling)
    place = parentOf(place)
  }
  return place.last === 0 && sameHash(hash, root)
}

export type ConsistencyClaim = {
  readonly oldSize: number
  readonly oldRoot: Hash
  readonly newSize: number
  readonly newRoot: Hash
  readonly proof: readonly Hash[]
}

/** An empty tree has one root, {@link emptyRoot}; with any other the claim is false. */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { oldSize, oldRoot, newSize, newRoot, proof } = claim
  if (!(isSize(oldSize) && isSize(newSize) && oldSize <= newSize)) return false
  if (!areHashes([oldRoot, newRoot, ...proof])) return false
  if (oldSize === newSize) {
    const isPossible = oldSize > 0 || sameHash(oldRoot, emptyRoot)
    return isPossible && proof.length === 0 && sameHash(oldRoot, newRoot)
  }
  if (oldSize === 0) return proof.length === 0 && sameHash(oldRoot, emptyRoot)
  return verifyGrowth(claim)
}

/** 0 < oldSize < newSize: rebuilds both roots from the one proof. */
function verifyGrowth({ oldSize, oldRoot, newSize, newRoot, proof }: ConsistencyClaim): boolean {
  let place: Place = { node: oldSize - 1, last: newSize - 1 }
  while (place.node % 2 === 1) place = halve(place)
  // An old tree that is a perfect subtree of the new one is its own first hash: node 0 up there.
  const [first, ...rest] = place.node === 0 ? [oldRoot, ...proof] : proof
  if (first === undefined || proof.length === 0) return false
  let [oldHash, newHash] = [first, first]
  for (const sibling of rest) {
    if (place.last === 0) return false
    if (isRightChild(place)) {
      oldHash = hashNode(sibling, oldHash)
      newHash = hashNode(sibling, newHash)
    } else {
      newHash = hashNode(newHash, sibling)
    }
    place = parentOf(place)
  }
  return place.last === 0 && sameHash(oldHash, oldRoot) && sameHash(newHash, newRoot)
}

/** A node's number on its level, and that of the level's last node. */
type Place = { readonly node: number; readonly last: number }

/** The last node of a level has no right sibling: what the proof holds for it stands to its left. */
function isRightChild({ node, last }: Place): boolean {
  return node % 2 === 1 || node === last
}

/** One level up; from a last node without a sibling, past the levels that carry it up as it is. */
function parentOf(place: Place): Place {
  let at = place
  if (isRightChild(at)) {
    while (at.node % 2 === 0 && at.node !== 0) at = halve(at)
  }
  return halve(at)
}

function halve({ node, last }: Place): Place {
  return { node: Math.floor(node / 2), last: Math.floor(last / 2) }
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

function areHashes(hashes: readonly Hash[]): boolean {
  return hashes.every((hash) => hash.length === hashBytes)
}
