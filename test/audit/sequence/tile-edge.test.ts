import { expect, test } from 'bun:test'
import { tileEdge } from '#core/audit/sequence/tile-edge.ts'
import { appendLeaves, frontierRoot } from '#core/audit/tree/frontier.ts'
import { hashLeaf } from '#core/audit/tree/hash.ts'

const leaves = Array.from({ length: 70_000 }, (_, at) => hashLeaf(Buffer.from(String(at))))

test.each([
  0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, 65_793, 70_000,
])('the edge of a tree of %d entries makes its root', (size) => {
  const edge = tileEdge([])
  for (let from = 0; from < size; from += 256) {
    edge.add(Buffer.concat(leaves.slice(from, Math.min(from + 256, size))))
  }
  const root = frontierRoot(appendLeaves([], 0, leaves.slice(0, size)))
  expect(Buffer.compare(edge.root(), root)).toBe(0)
})
