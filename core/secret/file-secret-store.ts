import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { openForReading, readKeyFile, refuseExposed, unavailable } from './key-file.ts'
import { parseSecretReference, type SecretReference, type SecretStore } from './secret-store.ts'

const cipher = 'aes-256-gcm'
/** NIST SP 800-38D, 8.2.2: 96 random bits are safe for 2^32 writes under one key. */
const nonceBytes = 12
const tagBytes = 16
/** Characters; a store for tens of secrets, not a database. */
const fileCharsMax = 4_194_304
const memberBytesMax = 65_536

const fileSchema = z.strictObject({
  format: z.literal('postern-secrets'),
  version: z.literal(1),
  cipher: z.literal(cipher),
  nonce: z.base64url(),
  sealed: z.base64url(),
})

const membersSchema = z.record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]{0,63}$/), z.string().min(1))
const secretsSchema = z.record(
  z.string(),
  z.strictObject({ version: z.int().positive(), members: membersSchema }),
)
type Secrets = z.infer<typeof secretsSchema>

export type SecretMembers = Readonly<z.infer<typeof membersSchema>>

export type FileSecretStoreOptions = {
  /** Encrypted; mode 0600 or 0400. */
  readonly secretFile: string
  /** The one credential outside a store; mode 0600 or 0400. */
  readonly keyFile: string
}

/**
 * One encrypted JSON file. Every read opens it anew, so that a replaced file is seen at once.
 * Throws `secret.unavailable` with the fix for a file that is exposed, torn, altered or sealed
 * with another key.
 */
export function fileSecretStore(options: FileSecretStoreOptions): SecretStore {
  const { secretFile, keyFile } = options
  const load = async () => await readSecrets(secretFile, await readKeyFile(keyFile))
  return {
    name: 'file',
    async read({ name, member }) {
      const secret = memberOf(await load(), name)
      const value = memberOf(secret?.members ?? {}, member)
      if (secret === undefined || value === undefined) throw notFound({ name, member })
      return { version: String(secret.version), value }
    },
    async check() {
      await load()
    },
  }
}

function notFound({ name, member }: SecretReference): PosternError {
  return new PosternError('secret.not_found', { reason: `secret:${name}#${member} does not exist` })
}

/** Own members only: `constructor` is no secret. */
function memberOf<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** Names, versions and member names of what the file holds; no values. */
export async function listFileSecrets(options: FileSecretStoreOptions): Promise<
  readonly {
    readonly name: string
    readonly version: string
    readonly members: readonly string[]
  }[]
> {
  const secrets = await readSecrets(options.secretFile, await readKeyFile(options.keyFile))
  return Object.entries(secrets)
    .map(([name, { version, members }]) => ({
      name,
      version: String(version),
      members: Object.keys(members).sort(),
    }))
    .sort((left, right) => left.name.localeCompare(right.name))
}

/**
 * Puts a secret, all its members at once, as the next version; makes the file at the first one.
 * The old file stands until the new one is on disk. A second writer is refused, not waited for.
 */
export async function writeFileSecret(
  options: FileSecretStoreOptions & { readonly name: string; readonly members: unknown },
): Promise<{ readonly version: string }> {
  const { secretFile, keyFile, name } = options
  if (parseSecretReference(`secret:${name}#x`) === undefined) {
    throw unavailable(`${name} is no secret name: a-z, 0-9, /, _ and -, up to 127 characters`)
  }
  const members = parseMembers(options.members)
  const key = await readKeyFile(keyFile)
  // The temporary file is the lock too: it is created before the old content is read.
  const temporary = `${secretFile}.new`
  const file = await createTemporary(temporary)
  try {
    const secrets = await readSecrets(secretFile, key, 'may be absent')
    const version = (memberOf(secrets, name)?.version ?? 0) + 1
    await file.writeFile(seal({ ...secrets, [name]: { version, members } }, key))
    await file.sync()
    await rename(temporary, secretFile)
    await syncFolder(dirname(secretFile))
    return { version: String(version) }
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  } finally {
    await file.close()
  }
}

function parseMembers(value: unknown): SecretMembers {
  const parsed = membersSchema.safeParse(value)
  // The value itself never gets into a message.
  if (!parsed.success) throw unavailable('a secret is a JSON object of names and non-empty strings')
  if (JSON.stringify(parsed.data).length > memberBytesMax) {
    throw unavailable(`the secret is longer than ${memberBytesMax} characters`)
  }
  return parsed.data
}

async function createTemporary(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (cause) {
    throw unavailable(
      `cannot create ${path}; if it is left over from a crash and nobody writes now, remove it`,
      cause,
    )
  }
}

/** A rename is on disk only once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function readSecrets(
  path: string,
  key: Uint8Array,
  absence: 'is an error' | 'may be absent' = 'is an error',
): Promise<Secrets> {
  if (absence === 'may be absent' && !(await Bun.file(path).exists())) return {}
  const file = await openForReading(path, 'secrets file')
  try {
    await refuseExposed(file, path)
    if ((await file.stat()).size > fileCharsMax) throw unavailable(`${path} is far too long`)
    return unseal(await file.readFile('utf8'), key, path)
  } finally {
    await file.close()
  }
}

/** Name and version of the format are authenticated with the content. */
const header = Buffer.from(`postern-secrets 1 ${cipher}`)

function seal(secrets: Secrets, key: Uint8Array): string {
  const nonce = randomBytes(nonceBytes)
  const encrypt = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  encrypt.setAAD(header)
  const body = encrypt.update(JSON.stringify(secrets), 'utf8')
  const sealed = Buffer.concat([body, encrypt.final(), encrypt.getAuthTag()])
  const file: z.infer<typeof fileSchema> = {
    format: 'postern-secrets',
    version: 1,
    cipher,
    nonce: nonce.toString('base64url'),
    sealed: sealed.toString('base64url'),
  }
  return `${JSON.stringify(file)}\n`
}

function unseal(text: string, key: Uint8Array, path: string): Secrets {
  const parsed = fileSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    throw unavailable(
      `${path} is torn or no secrets file of this version; restore it from a backup`,
    )
  }
  const sealed = Buffer.from(parsed.data.sealed, 'base64url')
  const nonce = Buffer.from(parsed.data.nonce, 'base64url')
  try {
    const decrypt = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
    decrypt.setAAD(header)
    decrypt.setAuthTag(sealed.subarray(-tagBytes))
    const body = Buffer.concat([decrypt.update(sealed.subarray(0, -tagBytes)), decrypt.final()])
    return secretsSchema.parse(JSON.parse(body.toString('utf8')))
  } catch (cause) {
    throw unavailable(`${path} was altered or sealed with another key`, cause)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
