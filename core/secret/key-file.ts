import { type FileHandle, open } from 'node:fs/promises'
import { PosternError } from '../errors.ts'

/** AES-256. */
export const keyBytes = 32
/** 32 bytes in base64url, and the newline that editors add. */
const keyTextCharsMax = 64
/** Bytes; a secret id or a signer key is below one kibibyte. */
const protectedBytesMax = 4_096

/**
 * The file store's key: 32 bytes in base64url. Refused, with the fix, unless its owner alone can
 * read it and that owner is this user or root. Looked at through the open file, so that what was
 * checked is what is read. Throws `secret.unavailable`.
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  const file = await openForReading(path, 'key file')
  try {
    await refuseExposed(file, path)
    const { bytesRead, buffer } = await file.read(Buffer.alloc(keyTextCharsMax), 0)
    const text = buffer.toString('latin1', 0, bytesRead).replace(/\r?\n$/, '')
    const key = Buffer.from(text, 'base64url')
    if (key.byteLength === keyBytes && key.toString('base64url') === text) return key
  } finally {
    await file.close()
  }
  throw unavailable(`${path} holds no key; make one with \`postern secrets keygen\``)
}

/**
 * A credential in a file that its owner alone can read, without the newline that editors add. Throws
 * `secret.unavailable`.
 */
export async function readProtectedText(path: string, what: string): Promise<string> {
  const file = await openForReading(path, what)
  try {
    await refuseExposed(file, path)
    const { bytesRead, buffer } = await file.read(Buffer.alloc(protectedBytesMax), 0)
    return buffer.toString('utf8', 0, bytesRead).trimEnd()
  } finally {
    await file.close()
  }
}

export async function openForReading(path: string, what: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (cause) {
    throw unavailable(`the ${what} ${path} cannot be read`, cause)
  }
}

/** Any bit for group or others refuses; root may own it, as a mounted secret does. */
export async function refuseExposed(file: FileHandle, path: string): Promise<void> {
  const { mode, uid } = await file.stat()
  if ((mode & 0o177) !== 0) {
    throw unavailable(`${path} has mode ${octal(mode)}; run \`chmod 0400 ${path}\``)
  }
  const self = process.getuid?.()
  if (self !== undefined && uid !== self && uid !== 0) {
    throw unavailable(`${path} belongs to user ${uid}; run \`chown ${self} ${path}\``)
  }
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

/** `reason` names a path and is for the operator; a caller over HTTP gets the title alone. */
export function unavailable(reason: string, cause?: unknown): PosternError {
  return new PosternError('secret.unavailable', { reason, cause })
}
