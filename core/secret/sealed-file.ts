import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { open, rename, rm, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { parsedJson } from '../reading/parsed-json.ts'
import { lockFile } from './file-lock.ts'
import { openForReading, readKeyFile, refuseExposed, unavailable } from './key-file.ts'

const cipher = 'aes-256-gcm'
/** NIST SP 800-38D, 8.2.2: 96 random bits are safe for 2^32 writes under one key. */
const nonceBytes = 12
const tagBytes = 16
/** Characters; a store for tens of secrets, not a database. */
const fileCharsMax = 4_194_304

const fileSchema = z.strictObject({
  format: z.literal('postern-secrets'),
  version: z.literal(2),
  cipher: z.literal(cipher),
  nonce: z.base64url(),
  sealed: z.base64url(),
})

const sealedVersionSchema = z.strictObject({
  version: z.int().positive(),
  createdAt: z.iso.datetime(),
  isEnabled: z.boolean(),
  rotation: z.string(),
  members: z.record(z.string(), z.string()),
})
const sealedSecretSchema = z.strictObject({
  current: z.int().positive(),
  /** Oldest first. */
  versions: z.array(sealedVersionSchema),
})
const sealedSecretsSchema = z.record(z.string(), sealedSecretSchema)

export type SealedVersion = Readonly<z.infer<typeof sealedVersionSchema>>
export type SealedSecret = {
  readonly current: number
  readonly versions: readonly SealedVersion[]
}
export type SealedSecrets = Readonly<Record<string, SealedSecret>>

export type SealedFileOptions = {
  /** Encrypted; mode 0600 or 0400. */
  readonly secretFile: string
  /** The one credential outside a store; mode 0600 or 0400. */
  readonly keyFile: string
}

/** Throws `secret.unavailable` with the fix for a file that is exposed, torn, altered or sealed with another key. */
export async function readSealedFile({
  secretFile,
  keyFile,
}: SealedFileOptions): Promise<SealedSecrets> {
  return await readSecrets(secretFile, await readKeyFile(keyFile))
}

/**
 * Replaces the content by what `change` makes of it; makes the file where there is none. The old
 * file stands until the new one is on disk. Writers take turns, and one that was killed is in nobody's
 * way.
 */
export async function updateSealedFile<Result>(
  { secretFile, keyFile }: SealedFileOptions,
  change: (secrets: SealedSecrets) => {
    readonly secrets: SealedSecrets | undefined
    readonly result: Result
  },
): Promise<Result> {
  const key = await readKeyFile(keyFile)
  using _ = await writersTurn(secretFile)
  const temporary = `${secretFile}.new`
  // Of a writer that was killed.
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', 0o600)
  try {
    const { secrets, result } = change(await readSecrets(secretFile, key, 'may be absent'))
    if (secrets === undefined) {
      await unlink(temporary)
      return result
    }
    await file.writeFile(seal(secrets, key))
    await file.sync()
    await rename(temporary, secretFile)
    await syncFolder(dirname(secretFile))
    return result
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  } finally {
    await file.close()
  }
}

async function writersTurn(secretFile: string): Promise<Disposable> {
  const path = `${secretFile}.lock`
  const turn = await lockFile(path).catch((cause: unknown) => {
    throw unavailable(`cannot lock ${path}; may this process write in its folder?`, cause)
  })
  if (turn !== undefined) return turn
  throw unavailable(`another process has been writing ${secretFile} for too long; is it stopped?`)
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
): Promise<SealedSecrets> {
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
const header = Buffer.from(`postern-secrets 2 ${cipher}`)

function seal(secrets: SealedSecrets, key: Uint8Array): string {
  const nonce = randomBytes(nonceBytes)
  const encrypt = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  encrypt.setAAD(header)
  const body = encrypt.update(JSON.stringify(secrets), 'utf8')
  const sealed = Buffer.concat([body, encrypt.final(), encrypt.getAuthTag()])
  const file: z.infer<typeof fileSchema> = {
    format: 'postern-secrets',
    version: 2,
    cipher,
    nonce: nonce.toString('base64url'),
    sealed: sealed.toString('base64url'),
  }
  return `${JSON.stringify(file)}\n`
}

function unseal(text: string, key: Uint8Array, path: string): SealedSecrets {
  const parsed = fileSchema.safeParse(parsedJson(text))
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
    return sealedSecretsSchema.parse(JSON.parse(body.toString('utf8')))
  } catch (cause) {
    throw unavailable(`${path} was altered or sealed with another key`, cause)
  }
}
