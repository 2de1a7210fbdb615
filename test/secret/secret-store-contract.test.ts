import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSecretStore, writeFileSecret } from '#core/secret/file-secret-store.ts'
import { writeKeyFile } from './key-file.ts'
import { memorySecretStore } from './memory-secret-store.ts'
import { type StoreSubject, storeContract } from './store-contract.ts'

async function fileSubject(): Promise<StoreSubject> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-secret-'))
  const options = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(options.keyFile)
  await writeFileSecret({ ...options, name: 'postern/first', members: { url: 'x' } })
  return {
    store: fileSecretStore(options),
    other: fileSecretStore(options),
    putByHand: async (name, members) =>
      (await writeFileSecret({ ...options, name, members })).version,
    outOfReach: () => fileSecretStore({ ...options, keyFile: join(folder, 'gone') }),
    close: () => rm(folder, { recursive: true }),
  }
}

async function memorySubject(): Promise<StoreSubject> {
  const store = memorySecretStore()
  const away = memorySecretStore()
  away.setOutage(true)
  return {
    store,
    other: store,
    putByHand: (name, members) => store.stage(name, { members, rotation: Bun.randomUUIDv7() }),
    outOfReach: () => away,
    close: () => Promise.resolve(),
  }
}

storeContract('file', fileSubject)
storeContract('memory', memorySubject)
