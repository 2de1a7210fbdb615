import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filePlanSource } from '#core/drift/file-plan-source.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-plans-'))
})
afterAll(() => rm(folder, { recursive: true }))

const limits = { bytesMax: 1_000, signal: new AbortController().signal }

/** A directory of its own, with whatever stands in place of the plan. */
async function place(make: (path: string) => Promise<unknown>) {
  const directory = await mkdtemp(join(folder, 'place-'))
  await make(join(directory, 'plan.json'))
  return filePlanSource(directory).read('plan.json', limits)
}

test('what is there is read, what is not there is undefined', async () => {
  expect(await place((path) => writeFile(path, 'plan'))).toEqual(Buffer.from('plan'))
  expect(await place(async () => undefined)).toBeUndefined()
  expect(await filePlanSource('/nowhere').read('plan.json', limits)).toBeUndefined()
})

test('exactly as long as allowed is read, a byte more is refused without being read', async () => {
  expect(await place((path) => writeFile(path, 'x'.repeat(1_000)))).toHaveLength(1_000)
  await expect(place((path) => writeFile(path, 'x'.repeat(1_001)))).rejects.toMatchObject({
    fault: 'too_large',
  })
  const endless = place(async (path) => {
    await writeFile(path, '')
    await truncate(path, 2 ** 40)
  })
  await expect(endless).rejects.toMatchObject({ fault: 'too_large' })
})

test.each([
  ['a link', (path: string) => symlink('/etc/passwd', path)],
  ['a directory', (path: string) => mkdir(path)],
  ['a pipe', async (path: string) => void Bun.spawnSync(['mkfifo', path])],
])('%s in its place is refused, at once', async (_name, make) => {
  await expect(place(make)).rejects.toMatchObject({ code: 'drift.source_unavailable', status: 503 })
})
