import { afterEach, beforeEach, expect, test } from 'bun:test'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  fileSecretStore,
  listFileSecrets,
  writeFileSecret,
} from '#core/secret/file-secret-store.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { secretCache } from '#core/secret/secret-cache.ts'
import { writeKeyFile } from './key-file.ts'

let folder: string
let options: { secretFile: string; keyFile: string }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-secret-'))
  options = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(options.keyFile)
})
afterEach(() => rm(folder, { recursive: true }))

const name = 'postern/database'
const put = (members: unknown) => writeFileSecret({ ...options, name, members })
function reader() {
  const store = fileSecretStore(options)
  return secretCache({ store, currentVersion: store.currentVersion })
}
const read = () => reader().read({ name, member: 'url' })

test.each(['0440', '0404', '0644', '0660', '0500', '0700'])(
  'a key file of mode %s is refused with the command that mends it',
  async (mode) => {
    await chmod(options.keyFile, Number.parseInt(mode, 8))
    await expect(put({ url: 'x' })).rejects.toThrow(`run \`chmod 0400 ${options.keyFile}\``)
  },
)

test('a secrets file that others can read is refused', async () => {
  await put({ url: 'x' })
  await chmod(options.secretFile, 0o640)
  await expect(read()).rejects.toThrow('has mode 0640')
})

test.each([
  ['of 31 bytes', Buffer.alloc(31, 1).toString('base64url')],
  ['of 33 bytes', Buffer.alloc(33, 1).toString('base64url')],
  ['in hexadecimal', Buffer.alloc(32, 1).toString('hex')],
  ['with padding', `${Buffer.alloc(32, 1).toString('base64url')}=`],
  ['empty', ''],
])('a key %s is refused', async (_, text) => {
  await rm(options.keyFile)
  await writeFile(options.keyFile, text, { mode: 0o400 })
  await expect(put({ url: 'x' })).rejects.toThrow('holds no key')
})

test('a file sealed with another key is told apart from a torn one', async () => {
  await put({ url: 'x' })
  await rm(options.keyFile)
  await writeKeyFile(options.keyFile)
  await expect(read()).rejects.toThrow('altered or sealed with another key')
})

test('a file cut anywhere is refused', async () => {
  await put({ url: 'postgres://u:p@h/d' })
  const whole = await readFile(options.secretFile, 'utf8')
  for (let length = 0; length < whole.length - 1; length += 7) {
    await writeFile(options.secretFile, whole.slice(0, length))
    await expect(read()).rejects.toMatchObject({ code: 'secret.unavailable' })
  }
})

test('any changed byte of nonce or content is refused', async () => {
  await put({ url: 'x' })
  const whole: Record<string, string> = JSON.parse(await readFile(options.secretFile, 'utf8'))
  for (const member of ['nonce', 'sealed'] as const) {
    const bytes = Buffer.from(whole[member] ?? '', 'base64url')
    for (const at of [0, bytes.length - 1]) {
      const altered = Buffer.from(bytes)
      altered[at] = (altered[at] ?? 0) ^ 1
      const text = JSON.stringify({ ...whole, [member]: altered.toString('base64url') })
      await writeFile(options.secretFile, text)
      await expect(read()).rejects.toThrow('altered or sealed with another key')
    }
  }
})

test.each([
  ['a list', []],
  ['a number', { url: 1 }],
  ['an empty value', { url: '' }],
  ['a member that no reference can name', { 'a-b': 'x' }],
  ['more than 64 KiB', { url: 'x'.repeat(65_537) }],
])('%s is no secret, and the value is not repeated', async (_, members) => {
  await expect(put(members)).rejects.toMatchObject({ code: 'secret.refused' })
  expect(await readdir(folder)).toEqual(['key'])
})

test('the file holds neither names nor values in clear, and only its owner can read it', async () => {
  await put({ url: 'postgres://user:hunter2@host/db' })
  const text = await readFile(options.secretFile, 'utf8')
  expect(text).not.toContain('hunter2')
  expect(text).not.toContain('database')
  expect((await stat(options.secretFile)).mode & 0o777).toBe(0o600)
  expect(await listFileSecrets(options)).toEqual([{ name, version: '1', members: ['url'] }])
})

test('writers at once take turns, and nothing is lost', async () => {
  const names = ['postern/one', 'postern/three', 'postern/two']
  await Promise.all(
    names.map((each) => writeFileSecret({ ...options, name: each, members: { value: 'x' } })),
  )
  expect((await listFileSecrets(options)).map((each) => each.name)).toEqual(names)
  expect(await readdir(folder)).not.toContain('secrets.new')
})

test('a writer that is killed between its two files is in nobody’s way', async () => {
  await put({ url: 'first' })
  const holder = Bun.spawn(
    [process.execPath, join(import.meta.dir, 'killed-writer.ts'), options.secretFile],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  )
  const { value } = await holder.stdout.getReader().read()
  expect(new TextDecoder().decode(value)).toBe('holds it\n')
  const waiting = put({ url: 'second' })
  holder.kill('SIGKILL')
  await waiting
  expect(await listFileSecrets(options)).toEqual([{ name, version: '2', members: ['url'] }])
})

test('a credential is taken literally or from the store, never half', async () => {
  await put({ url: 'postgres://from-store' })
  const store = reader()
  expect(await resolveCredential(store, 'secret:postern/database#url')).toBe(
    'postgres://from-store',
  )
  expect(await resolveCredential(undefined, 'postgres://literal')).toBe('postgres://literal')
  await expect(resolveCredential(undefined, 'secret:postern/database#url')).rejects.toThrow(
    'set POSTERN_SECRET_STORE',
  )
  await expect(resolveCredential(store, 'secret:nowhere')).rejects.toMatchObject({
    code: 'secret.not_found',
  })
})
