import { expect, test } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type IdTwice, openUniqueIds } from '#core/audit/verify/unique-ids.ts'
import { seededRandom } from './seeded-random.ts'

function idsOf(count: number, below: (end: number) => number): Uint8Array {
  const words = new Uint32Array(count * 4).map(() => below(2 ** 32))
  return new Uint8Array(words.buffer)
}

async function findTwice(size: number, portions: readonly (readonly [number, Uint8Array])[]) {
  using ids = await openUniqueIds(size, tmpdir())
  for (const [first, portion] of portions) ids?.add(first, portion)
  const twice: IdTwice[] = []
  ids?.finish((one) => twice.push(one))
  return twice.toSorted((a, b) => a.index - b.index)
}

test('ids over several files: the ones met twice are named, and no other', async () => {
  const { seed, below } = seededRandom()
  const count = 50_000
  const ids = idsOf(count, below)
  const copies = [
    [49_999, 0],
    [30_000, 29_999],
    [40_001, 17],
  ] as const
  for (const [to, from] of copies) ids.copyWithin(to * 16, from * 16, from * 16 + 16)
  // A size that was announced ten times as large takes more files than these ids need.
  const half = ids.subarray(0, (count / 2) * 16)
  const twice = await findTwice(count * 100, [
    [2 ** 40, half],
    [2 ** 40 + count / 2, ids.subarray((count / 2) * 16)],
  ])
  const found = twice.map(({ index, firstIndex }) => [index - 2 ** 40, firstIndex - 2 ** 40])
  expect({ seed, found }).toEqual({
    seed,
    found: copies.map(([to, from]) => [to, from]).toSorted(([a = 0], [b = 0]) => a - b),
  })
})

test('an id that never ends is one id', async () => {
  const ids = new Uint8Array(16 * 5_000).map((_, at) => (at % 16) + 1)
  const twice = await findTwice(5_000, [[0, ids]])
  expect(twice).toHaveLength(4_999)
  expect(twice.at(-1)).toEqual({
    id: '01020304-0506-0708-090a-0b0c0d0e0f10',
    index: 4_999,
    firstIndex: 0,
  })
})

test('entries without an id are not compared', async () => {
  expect(await findTwice(100, [[0, new Uint8Array(1_600)]])).toEqual([])
})

test('without room nothing is begun', async () => {
  expect(await openUniqueIds(2 ** 50, tmpdir())).toBeUndefined()
})

test('the files have no name while they are in use', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-ids-'))
  {
    using ids = await openUniqueIds(1_000, directory)
    expect(ids).toBeDefined()
    expect(await readdir(directory)).toEqual([])
  }
  await rm(directory, { recursive: true })
})
