import { expect, test } from 'bun:test'
import { appendLeaf, appendLeaves, type Frontier, frontierRoot } from '#core/audit/tree/frontier.ts'
import { emptyRoot, type Hash, hashLeaf, hashNode, hashTree } from '#core/audit/tree/hash.ts'
import { verifyConsistency, verifyInclusion } from '#core/audit/tree/proof.ts'
import { splitHashes, type Tile, tilePath, tilesOf, tileWidth } from '#core/audit/tree/tile.ts'
import { proveConsistency, proveInclusion } from '#core/audit/tree/tile-proof.ts'

const hex = (hash: Hash) => Buffer.from(hash).toString('hex')
const leaves = Array.from({ length: 70_000 }, (_, at) => hashLeaf(Buffer.from(`entry ${at}`)))

/** RFC 6962, 2.1, as it is written there. */
function naiveRoot(from: number, to: number): Hash {
  if (to === from) return emptyRoot
  const only = leaves[from]
  if (to - from === 1 && only !== undefined) return only
  let split = 1
  while (split * 2 < to - from) split *= 2
  return hashNode(naiveRoot(from, from + split), naiveRoot(from + split, to))
}

/** Tile contents of a tree, cut from the leaves by the definition. */
function tileBytes({ level, index, width }: Tile): Uint8Array {
  const span = tileWidth ** level
  const hashes = Array.from({ length: width }, (_, at) => {
    const from = (index * tileWidth + at) * span
    return naiveRoot(from, from + span)
  })
  return Buffer.concat(hashes)
}

const cache = new Map<string, Uint8Array>()
const readTile = (tile: Tile) => {
  const path = tilePath(tile)
  const bytes = cache.get(path) ?? tileBytes(tile)
  cache.set(path, bytes)
  return Promise.resolve(bytes)
}

test('the vectors of RFC 6962', () => {
  expect(hex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  const empty = hashLeaf(new Uint8Array())
  expect(hex(empty)).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
})

test('the frontier has the root of every size up to 600, one by one and in bulk', () => {
  let frontier: Frontier = []
  for (let size = 0; size <= 600; size++) {
    const root = hex(naiveRoot(0, size))
    expect(hex(frontierRoot(frontier))).toBe(root)
    expect(hex(frontierRoot(appendLeaves([], 0, leaves.slice(0, size))))).toBe(root)
    expect(hex(hashTree(Buffer.concat(leaves.slice(0, size))))).toBe(root)
    frontier = appendLeaf(frontier, size, leaves[size] ?? emptyRoot)
  }
})

test.each([1, 2, 3, 255, 256, 257, 511, 512, 513, 600])(
  'every entry of a tree of %d is proved from its tiles, and no other in its place',
  async (size) => {
    const root = naiveRoot(0, size)
    for (let index = 0; index < size; index++) {
      const proof = await proveInclusion(index, size, readTile)
      const leaf = leaves[index] ?? emptyRoot
      const claim = { index, size, leaf, proof, root }
      expect(verifyInclusion(claim)).toBe(true)
      expect(verifyInclusion({ ...claim, leaf: leaves[index + 1] ?? emptyRoot })).toBe(false)
      expect(verifyInclusion({ ...claim, index: (index + 1) % (size + 1) })).toBe(false)
      expect(verifyInclusion({ ...claim, proof: [...proof, root] })).toBe(false)
      expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(proof.length === 0)
    }
  },
)

test('each of two sizes up to 80 and around the tiles is the beginning of the other', async () => {
  const sizes = [...Array.from({ length: 81 }, (_, at) => at), 255, 256, 257, 511, 512, 513, 600]
  for (const newSize of sizes) {
    for (const oldSize of sizes.filter((size) => size <= newSize)) {
      const proof = await proveConsistency(oldSize, newSize, readTile)
      const [oldRoot, newRoot] = [naiveRoot(0, oldSize), naiveRoot(0, newSize)]
      const claim = { oldSize, oldRoot, newSize, newRoot, proof }
      expect(verifyConsistency(claim)).toBe(true)
      if (oldSize > 0 && oldSize < newSize) {
        const forged = hashNode(oldRoot, oldRoot)
        expect(verifyConsistency({ ...claim, oldRoot: forged })).toBe(false)
        expect(verifyConsistency({ ...claim, newRoot: forged })).toBe(false)
        expect(verifyConsistency({ ...claim, proof: [...proof, forged] })).toBe(false)
      }
    }
  }
})

test('proofs over three levels of tiles', async () => {
  const size = 70_000
  const root = frontierRoot(appendLeaves([], 0, leaves))
  for (const index of [0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999]) {
    const leaf = leaves[index] ?? emptyRoot
    const proof = await proveInclusion(index, size, readTile)
    expect(verifyInclusion({ index, size, leaf, proof, root })).toBe(true)
  }
  for (const oldSize of [1, 256, 65_535, 65_536, 65_537, 69_999]) {
    const oldRoot = frontierRoot(appendLeaves([], 0, leaves.slice(0, oldSize)))
    const proof = await proveConsistency(oldSize, size, readTile)
    expect(verifyConsistency({ oldSize, oldRoot, newSize: size, newRoot: root, proof })).toBe(true)
  }
})

test('an index past 2^32 is reckoned without cutting it', () => {
  // A tree whose left half is one known hash: only the sums of indexes are at stake.
  const size = 2 ** 40 + 1
  const left = hashLeaf(Buffer.from('left'))
  const leaf = hashLeaf(Buffer.from('last'))
  const root = hashNode(left, leaf)
  const claim = { index: 2 ** 40, size, leaf, proof: [left], root }
  expect(verifyInclusion(claim)).toBe(true)
  expect(verifyInclusion({ ...claim, index: 0 })).toBe(false)
})

test('the tiles of 70,000 entries are those of the specification', () => {
  const paths = [...tilesOf(70_000)].map(tilePath)
  expect(paths.filter((path) => path.startsWith('tile/0/'))).toHaveLength(274)
  expect(paths).toContain('tile/0/273.p/112')
  expect(paths.slice(-3)).toEqual(['tile/1/000', 'tile/1/001.p/17', 'tile/2/000.p/1'])
  expect(splitHashes(tileBytes({ level: 0, index: 0, width: 3 }))).toHaveLength(3)
})
