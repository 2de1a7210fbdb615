import { heapStats } from 'bun:jsc'
import { expect, test } from 'bun:test'
import { mkdir, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { removeAtExit } from '#test/support/server-process.ts'

type Patch = { readonly file: string; readonly before: string; readonly after: string }

const root = join(import.meta.dir, '../..')
// By a name that is put together: TypeScript has no types for what Node runs.
const mending = await import(join(root, 'ci/patches.mjs'))
const applyPatches: (modules: string) => void = mending.applyPatches
const patches: readonly Patch[] = mending.patches
const { default: queue } = await import(join(root, 'node_modules/postgres/src/queue.js'))

const byFile = Map.groupBy(patches, ({ file }) => file)
const textsOf = (textOf: (patch: Patch) => string) =>
  [...byFile.values()].map((ofFile) => ofFile.map(textOf).join('\n'))

async function modulesWith(textOf: (patch: Patch) => string) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-patches-'))
  removeAtExit(folder)
  const files = [...byFile.keys()].map((file) => join(folder, file))
  for (const [at, text] of textsOf(textOf).entries()) {
    await mkdir(dirname(files[at] ?? ''), { recursive: true })
    await Bun.write(files[at] ?? '', text)
  }
  return {
    folder,
    texts: () => Promise.all(files.map((file) => readFile(file, 'utf8'))),
  }
}

test('every package that is installed is mended', async () => {
  for (const { file, after } of patches) {
    expect(await readFile(join(root, 'node_modules', file), 'utf8')).toContain(after)
  }
})

test('a package is mended once, and what stands around it stays', async () => {
  const { folder, texts } = await modulesWith(({ before }) => `first\n${before}\nlast\n`)
  applyPatches(folder)
  const mended = textsOf(({ after }) => `first\n${after}\nlast\n`)
  expect(await texts()).toEqual(mended)
  applyPatches(folder)
  expect(await texts()).toEqual(mended)
})

test.each([
  ['another text', () => 'a later version'],
  ['the text twice', ({ before }: Patch) => `${before}\n${before}`],
])('%s is refused by the name of its file, and stays', async (_, textOf) => {
  const { folder, texts } = await modulesWith(textOf)
  expect(() => applyPatches(folder)).toThrow(patches[0]?.file ?? '')
  expect(await texts()).toEqual(textsOf(textOf))
})

test('a queue that is never empty keeps the order and no place of what has left it', () => {
  const waiting = queue([])
  for (let number = 0; number < 8; number += 1) waiting.push(number)
  Bun.gc(true)
  const before = heapStats().heapSize
  for (let number = 8; number < 1_000_000; number += 1) {
    const out = waiting.shift()
    if (out !== number - 8) throw new Error(`${out} left before ${number - 8}`)
    waiting.push(number)
  }
  Bun.gc(true)
  // As published it keeps 8 bytes for each: 8 MB.
  expect(heapStats().heapSize - before).toBeLessThan(1_000_000)
  expect(waiting.length).toBe(8)
  expect(waiting.remove(999_995)).toBe(999_995)
  expect(waiting.remove(3)).toBe(null)
  expect(Array.from({ length: 7 }, () => waiting.shift())).toEqual([
    ...[999_992, 999_993, 999_994],
    ...[999_996, 999_997, 999_998, 999_999],
  ])
  expect(waiting.length).toBe(0)
})
