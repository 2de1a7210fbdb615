import { afterAll, expect, test } from 'bun:test'
import { mkdtemp, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSecretStore, writeFileSecret } from '#core/secret/file-secret-store.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { writeKeyFile } from './key-file.ts'
import { memorySecretStore } from './memory-secret-store.ts'

type Subject = {
  readonly store: SecretStore
  put(name: string, members: Record<string, string>): Promise<void>
  breakIt(): Promise<void>
}

const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

async function fileSubject(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-secret-'))
  folders.push(folder)
  const options = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(options.keyFile)
  return {
    store: fileSecretStore(options),
    async put(name, members) {
      await writeFileSecret({ ...options, name, members })
    },
    breakIt: () => unlink(options.keyFile),
  }
}

async function memorySubject(): Promise<Subject> {
  const store = memorySecretStore()
  return {
    store,
    put: async (name, members) => store.put(name, members),
    breakIt: async () => store.setOutage(true),
  }
}

const subjects = [
  ['file', fileSubject],
  ['memory', memorySubject],
] as const

const reference = { name: 'postern/database', member: 'url' }

test.each(subjects)(
  '%s: an absent member is named by its reference, without any value',
  async (_, open) => {
    const { store, put } = await open()
    await put('postern/database', { password: 'hunter2' })
    for (const member of ['url', 'constructor', '__proto__']) {
      const read = store.read({ name: 'postern/database', member })
      await expect(read).rejects.toMatchObject({
        code: 'secret.not_found',
        message: `secret:postern/database#${member} does not exist`,
      })
      await read.catch((error) => expect(JSON.stringify(error)).not.toContain('hunter2'))
    }
  },
)

test.each(subjects)('%s: a store out of reach is an outage, for check too', async (_, open) => {
  const { store, put, breakIt } = await open()
  await put('postern/database', { url: 'one' })
  await breakIt()
  await expect(store.read(reference)).rejects.toMatchObject({ code: 'secret.unavailable' })
  await expect(store.check()).rejects.toMatchObject({ code: 'secret.unavailable' })
})

test.each(subjects)('%s: each write is a new version, seen by the next read', async (_, open) => {
  const { store, put } = await open()
  await put('postern/database', { url: 'one', user: 'a' })
  await put('postern/other', { url: 'elsewhere' })
  const first = await store.read(reference)
  await put('postern/database', { url: 'two' })
  const second = await store.read(reference)
  expect([first.value, second.value]).toEqual(['one', 'two'])
  expect(second.version).not.toBe(first.version)
  // A write replaces the whole object.
  await expect(store.read({ ...reference, member: 'user' })).rejects.toMatchObject({
    code: 'secret.not_found',
  })
  await store.check()
})
