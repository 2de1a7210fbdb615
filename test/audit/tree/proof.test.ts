import { expect, test } from 'bun:test'
import { appendLeaves, frontierRoot } from '#core/audit/tree/frontier.ts'
import { emptyRoot, type Hash, hashLeaf, hashNode, sameHash } from '#core/audit/tree/hash.ts'
import {
  type ConsistencyClaim,
  type InclusionClaim,
  verifyConsistency,
  verifyInclusion,
} from '#core/audit/tree/proof.ts'
import { type Tile, TileError, tileWidth } from '#core/audit/tree/tile.ts'
import { proveConsistency, proveInclusion } from '#core/audit/tree/tile-proof.ts'
import { seededRandom } from '../verify/seeded-random.ts'

const { seed, below } = seededRandom()
process.stdout.write(`seed ${seed}\n`)

// The inputs and roots of the Certificate Transparency reference tests.
const entries = [
  ...['', '00', '10', '2021', '3031', '40414243', '5051525354555657'],
  '606162636465666768696a6b6c6d6e6f',
].map((text) => Buffer.from(text, 'hex'))
const leaves = entries.map(hashLeaf)
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const rootOf = (size: number) => frontierRoot(appendLeaves([], 0, leaves.slice(0, size)))
const readTile = async ({ width }: Tile) => Buffer.concat(leaves.slice(0, width))

test('the roots of the Certificate Transparency reference tree', () => {
  expect(roots.map((_, at) => Buffer.from(rootOf(at + 1)).toString('hex'))).toEqual(roots)
})

const inclusion = async (): Promise<InclusionClaim> => ({
  ...{ index: 4, size: 7, leaf: leaves[4] ?? emptyRoot, root: rootOf(7) },
  proof: await proveInclusion(4, 7, readTile),
})
const consistency = async (): Promise<ConsistencyClaim> => ({
  ...{ oldSize: 6, oldRoot: rootOf(6), newSize: 8, newRoot: rootOf(8) },
  proof: await proveConsistency(6, 8, readTile),
})

test('one flipped bit anywhere in an inclusion claim refutes it', async () => {
  const claim = await inclusion()
  expect(verifyInclusion(claim)).toBe(true)
  for (const mutated of flips(claim.proof)) {
    expect(verifyInclusion({ ...claim, proof: mutated })).toBe(false)
  }
  for (const [leaf] of flips([claim.leaf])) {
    expect(verifyInclusion({ ...claim, leaf: leaf ?? emptyRoot })).toBe(false)
  }
  for (const [root] of flips([claim.root])) {
    expect(verifyInclusion({ ...claim, root: root ?? emptyRoot })).toBe(false)
  }
})

test('one flipped bit anywhere in a consistency claim refutes it', async () => {
  const claim = await consistency()
  expect(verifyConsistency(claim)).toBe(true)
  for (const mutated of flips(claim.proof)) {
    expect(verifyConsistency({ ...claim, proof: mutated })).toBe(false)
  }
  for (const [root] of flips([claim.oldRoot])) {
    expect(verifyConsistency({ ...claim, oldRoot: root ?? emptyRoot })).toBe(false)
  }
  for (const [root] of flips([claim.newRoot])) {
    expect(verifyConsistency({ ...claim, newRoot: root ?? emptyRoot })).toBe(false)
  }
})

test('a proof in another order, short of a hash or with one more proves nothing', async () => {
  const [included, grown] = [await inclusion(), await consistency()]
  const others = (proof: readonly Hash[]) => [
    ...[proof.toReversed(), proof.slice(1), proof.slice(0, -1), []],
    ...[[...proof, emptyRoot], [emptyRoot, ...proof], Array.from({ length: 99 }, () => emptyRoot)],
  ]
  for (const proof of others(included.proof)) {
    expect(verifyInclusion({ ...included, proof })).toBe(false)
  }
  for (const proof of others(grown.proof)) {
    expect(verifyConsistency({ ...grown, proof })).toBe(false)
  }
})

test.each([-1, 1.5, 7, 8, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])(
  'the index %d is in no tree of 7',
  async (index) => {
    expect(verifyInclusion({ ...(await inclusion()), index })).toBe(false)
    await expect(proveInclusion(index, 7, readTile)).rejects.toThrow('within its tree')
  },
)

test.each([0, 4, 5, 9, -7, 7.5, 2 ** 53, Number.NaN])(
  'a proof for 7 entries does not hold for %d',
  async (size) => {
    expect(verifyInclusion({ ...(await inclusion()), size })).toBe(false)
    expect(verifyConsistency({ ...(await consistency()), newSize: size })).toBe(false)
  },
)

test.each([0, 31, 33])('a hash of %d bytes is none', async (length) => {
  const odd = new Uint8Array(length)
  const claim = await inclusion()
  expect(verifyInclusion({ ...claim, leaf: odd })).toBe(false)
  expect(verifyInclusion({ ...claim, proof: [odd, ...claim.proof.slice(1)] })).toBe(false)
  expect(verifyInclusion({ index: 0, size: 1, leaf: odd, proof: [], root: odd })).toBe(false)
  expect(sameHash(odd, odd)).toBe(false)
})

test('a tree does not shrink, and two trees of one size are one tree', async () => {
  const claim = { ...(await consistency()), proof: [] }
  const [six, eight] = [rootOf(6), rootOf(8)]
  const shrunk = { oldSize: 8, oldRoot: eight, newSize: 6, newRoot: six }
  expect(verifyConsistency({ ...claim, ...shrunk })).toBe(false)
  await expect(proveConsistency(8, 6, readTile)).rejects.toThrow('only grows')
  const same = { oldSize: 8, newSize: 8, newRoot: eight, proof: [] }
  expect(verifyConsistency({ ...same, oldRoot: eight })).toBe(true)
  expect(verifyConsistency({ ...same, oldRoot: six })).toBe(false)
  expect(verifyConsistency({ ...same, oldRoot: eight, proof: [eight] })).toBe(false)
})

test('the empty tree has one root and is the beginning of every tree, without a proof', () => {
  const claim = { oldSize: 0, oldRoot: emptyRoot, newSize: 8, newRoot: rootOf(8), proof: [] }
  expect(verifyConsistency(claim)).toBe(true)
  expect(verifyConsistency({ ...claim, oldRoot: rootOf(8) })).toBe(false)
  expect(verifyConsistency({ ...claim, proof: [emptyRoot] })).toBe(false)
  const none = { oldSize: 0, newSize: 0, proof: [] }
  expect(verifyConsistency({ ...none, oldRoot: emptyRoot, newRoot: emptyRoot })).toBe(true)
  expect(verifyConsistency({ ...none, oldRoot: rootOf(1), newRoot: rootOf(1) })).toBe(false)
})

test('a node passed off as an entry is refused', () => {
  const [left, right] = [leaves[0] ?? emptyRoot, leaves[1] ?? emptyRoot]
  const claim = { index: 0, size: 1, proof: [], root: rootOf(2) }
  expect(verifyInclusion({ ...claim, leaf: hashLeaf(Buffer.concat([left, right])) })).toBe(false)
})

test('a tile of another length stops the proof', async () => {
  const short = async () => new Uint8Array(32)
  await expect(proveInclusion(4, 7, short)).rejects.toThrow(TileError)
  await expect(proveConsistency(6, 8, short)).rejects.toThrow(TileError)
})

// All entries are one: a perfect subtree's hash depends on its height only, so that trees too large
// to build have tiles and roots all the same.
const heights: Hash[] = [hashLeaf(Buffer.from('same'))]
while (heights.length < 53) {
  const below = heights.at(-1) ?? emptyRoot
  heights.push(hashNode(below, below))
}
const heightHash = (height: number) => heights[height] ?? emptyRoot
const uniformTile = async ({ level, width }: Tile) =>
  Buffer.concat(Array.from({ length: width }, () => heightHash(level * Math.log2(tileWidth))))
const uniformRoot = (size: number) => {
  const bits = [...size.toString(2)].reverse()
  return frontierRoot(bits.flatMap((bit, at) => (bit === '1' ? [heightHash(at)] : [])).reverse())
}

test.each([2 ** 32 + 1, 2 ** 40 + 12_345, 2 ** 53 - 1])(
  'entries of a tree of %d are proved, and so are its beginnings',
  async (size) => {
    const root = uniformRoot(size)
    const leaf = heightHash(0)
    for (const index of [0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Math.floor(size / 3), size - 1]) {
      const proof = await proveInclusion(index, size, uniformTile)
      expect(verifyInclusion({ index, size, leaf, proof, root })).toBe(true)
      expect(verifyInclusion({ index, size, leaf: emptyRoot, proof, root })).toBe(false)
    }
    for (const oldSize of [1, 2 ** 31 + 1, 2 ** 32, Math.floor(size / 3), size - 1]) {
      const proof = await proveConsistency(oldSize, size, uniformTile)
      const claim = { oldSize, newSize: size, newRoot: root, proof }
      expect(verifyConsistency({ ...claim, oldRoot: uniformRoot(oldSize) })).toBe(true)
      expect(verifyConsistency({ ...claim, oldRoot: emptyRoot })).toBe(false)
    }
  },
)

test('a frontier of another size and a tree past 2^53 − 1 are refused', () => {
  expect(() => appendLeaves([], 1, [emptyRoot])).toThrow('belongs to its size')
  const largest = Array.from({ length: 53 }, () => emptyRoot)
  expect(() => appendLeaves(largest, 2 ** 53 - 1, [emptyRoot])).toThrow('fewer than 2^53')
})

/** Each hash in turn with one bit of it flipped, the bit by the seed. */
function* flips(hashes: readonly Hash[]): Iterable<Hash[]> {
  for (let at = 0; at < hashes.length * 32; at++) {
    const copies = hashes.map((hash) => hash.slice())
    const copy = copies[Math.floor(at / 32)]
    if (copy !== undefined) copy[at % 32] = (copy[at % 32] ?? 0) ^ (1 << below(8))
    yield copies
  }
}
