import { invariant } from '#core/invariant.ts'
import { emptyRoot, type Hash, hashNode } from './hash.ts'

/**
 * What appending needs to know of a tree: the roots of the perfect subtrees it splits into, one per
 * 1-bit of its size, largest first.
 */
export type Frontier = readonly Hash[]

/** The frontier of size + 1. */
export function appendLeaf(frontier: Frontier, size: number, leaf: Hash): Frontier {
  return appendLeaves(frontier, size, [leaf])
}

/**
 * The frontier of size + leaves.length. Throws where `frontier` cannot be that of `size`, and past
 * 2^53 − 1 entries.
 */
export function appendLeaves(frontier: Frontier, size: number, leaves: readonly Hash[]): Frontier {
  invariant(Number.isSafeInteger(size) && size >= 0, 'a tree size is a safe integer')
  invariant(Number.isSafeInteger(size + leaves.length), 'a tree has fewer than 2^53 entries')
  invariant(frontier.length === countOneBits(size), 'a frontier belongs to its size')
  const grown = [...frontier]
  leaves.forEach((leaf, at) => {
    grown.push(joinLeft(grown, size + at, leaf))
  })
  return grown
}

/** Each trailing 1-bit of `size` is a perfect subtree that the new node completes a larger one with. */
function joinLeft(grown: Hash[], size: number, leaf: Hash): Hash {
  let node = leaf
  // Bitwise operators would cut the size at 32 bits.
  for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    const left = grown.pop()
    invariant(left !== undefined, 'a frontier holds a hash per 1-bit')
    node = hashNode(left, node)
  }
  return node
}

/** The root hash of the tree, RFC 6962 section 2.1. */
export function frontierRoot(frontier: Frontier): Hash {
  if (frontier.length === 0) return emptyRoot
  return frontier.reduceRight((right, left) => hashNode(left, right))
}

function countOneBits(size: number): number {
  let count = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}
