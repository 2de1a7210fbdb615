import { expect, test } from 'bun:test'
import {
  bundlePath,
  checkTileBytes,
  decodeBundle,
  encodeBundle,
  entryBytesMax,
  parseTilePath,
  TileError,
  tilePath,
  tilesBetween,
  tilesOf,
} from '#core/audit/tree/tile.ts'
import { seededRandom } from '../verify/seeded-random.ts'

test.each([
  ['a directory above', '../checkpoint'],
  ['a directory above inside', 'tile/0/../000'],
  ['an absolute path', '/tile/0/000'],
  ['a line after it', 'tile/0/000\n'],
  ['a query', 'tile/0/000?'],
  ['no number', 'tile/0/'],
  ['two digits', 'tile/0/67'],
  ['four digits', 'tile/0/1000'],
  ['a group without its x', 'tile/0/001/000'],
  ['an x on the last group', 'tile/0/x001/x000'],
  ['an upper-case x', 'tile/0/X001/000'],
  ['a group of zeros in front', 'tile/0/x000/005'],
  ['a level with a leading zero', 'tile/00/000'],
  ['level 64', 'tile/64/000'],
  ['a negative level', 'tile/-1/000'],
  ['the height of another convention', 'tile/8/0/000'],
  ['width 0', 'tile/0/000.p/0'],
  ['a full width that calls itself partial', 'tile/0/000.p/256'],
  ['a width with a leading zero', 'tile/0/000.p/05'],
  ['a width of no digits', 'tile/0/000.p/'],
  ['a width without its p', 'tile/0/000/5'],
  ['other digits', 'tile/0/٠٠٠'],
  ['an index past 2^53 − 1', 'tile/0/x009/x007/x199/x254/x740/992'],
  ['a misspelt bundle', 'tile/entry/000'],
  ['a packed bundle', 'tile/entries/000.gz'],
])('%s is no tile path', (_, path) => {
  expect(parseTilePath(path)).toBeUndefined()
})

test.each([
  [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
  [{ level: 0, index: 5, width: 256 }, 'tile/0/005'],
  [{ level: 1, index: 999, width: 1 }, 'tile/1/999.p/1'],
  [{ level: 0, index: 1000, width: 256 }, 'tile/0/x001/000'],
  [{ level: 0, index: 1_234_067, width: 5 }, 'tile/0/x001/x234/067.p/5'],
  [{ level: 2, index: 1_000_000, width: 255 }, 'tile/2/x001/x000/000.p/255'],
  [{ level: 0, index: 2 ** 53 - 1, width: 256 }, 'tile/0/x009/x007/x199/x254/x740/991'],
  [{ level: 63, index: 0, width: 1 }, 'tile/63/000.p/1'],
])('%j and %s are one tile', (tile, path) => {
  expect(tilePath(tile)).toBe(path)
  expect(parseTilePath(path)).toEqual(tile)
})

test('a bundle has the path of its tile of level 0', () => {
  const place = { index: 1_234_067, width: 5 }
  expect(bundlePath(place)).toBe('tile/entries/x001/x234/067.p/5')
  expect(parseTilePath(bundlePath(place))).toEqual({ entries: place })
})

test.each([0, 257, -1, 1.5])('a tile %d hashes wide has no path', (width) => {
  expect(() => tilePath({ level: 0, index: 0, width })).toThrow('1 to 256')
  expect(() => bundlePath({ index: 0, width })).toThrow('1 to 256')
})

test('the tiles written as a tree grows step by step are all its tiles of every step', () => {
  const { seed, random } = seededRandom()
  process.stdout.write(`seed ${seed}\n`)
  const written = new Set<string>()
  let size = 0
  while (size < 200_000) {
    const grown = size + Math.floor(random() ** 4 * 30_000)
    for (const tile of tilesBetween(size, grown)) written.add(tilePath(tile))
    const missing = [...tilesOf(grown)].map(tilePath).filter((path) => !written.has(path))
    expect(missing).toEqual([])
    size = grown
  }
})

test('a tree that grows by nothing writes nothing, and one that shrinks is refused', () => {
  expect([...tilesBetween(256, 256)]).toEqual([])
  expect(() => [...tilesBetween(2, 1)]).toThrow('only grows')
  expect(() => [...tilesOf(2 ** 53)]).toThrow('only grows')
})

test('256 entries are a full tile of level 0 and one hash of level 1', () => {
  expect([...tilesOf(256)].map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1'])
  expect([...tilesBetween(255, 257)].map(tilePath)).toEqual([
    'tile/0/000',
    'tile/0/001.p/1',
    'tile/1/000.p/1',
  ])
})

test.each([0, 31, 33, 64])('%d bytes are no tile of one hash', (length) => {
  const tile = { level: 0, index: 0, width: 1 }
  expect(() => checkTileBytes(tile, new Uint8Array(length))).toThrow(TileError)
})

const longest = new Uint8Array(entryBytesMax).fill(7)

test('a bundle gives back entries of 0 to 65,535 bytes as they were', () => {
  const entries = [new Uint8Array(), Uint8Array.of(1), new Uint8Array(256).fill(2), longest]
  const bytes = encodeBundle(entries)
  expect([...bytes.subarray(0, 7)]).toEqual([0, 0, 0, 1, 1, 1, 0])
  expect(decodeBundle(bytes, entries.length)).toEqual(entries)
  expect(decodeBundle(encodeBundle([]), 0)).toEqual([])
})

test('an entry of 65,536 bytes and a 257th entry are refused', () => {
  expect(() => encodeBundle([new Uint8Array(entryBytesMax + 1)])).toThrow('65,535')
  const entries = Array.from({ length: 257 }, () => Uint8Array.of(1))
  expect(() => encodeBundle(entries)).toThrow('256 entries')
  expect(decodeBundle(encodeBundle(entries.slice(1)), 256)).toHaveLength(256)
})

test.each([
  ['nothing at all', [], 1],
  ['half a length', [0], 1],
  ['a length and no entry', [0, 1], 1],
  ['an entry cut off', [0, 3, 1, 2], 1],
  ['the longest length and little behind it', [255, 255, 1], 1],
  ['one entry too few', [0, 1, 9], 2],
])('a bundle of %s is short', (_, bytes, count) => {
  expect(() => decodeBundle(Uint8Array.from(bytes), count)).toThrow(TileError)
})

test.each([
  ['a byte', [0, 1, 9, 0], 1],
  ['an entry', [0, 1, 9, 0, 0], 1],
  ['anything where no entry is', [0, 0], 0],
])('a bundle with %s behind its last entry is refused', (_, bytes, count) => {
  expect(() => decodeBundle(Uint8Array.from(bytes), count)).toThrow('follow the')
})
