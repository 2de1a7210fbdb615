import { NoteError } from './note-error.ts'
import { type NoteSigner, parseSignerKey } from './signer.ts'
import { parseVerifierKey, type VerifierKey } from './verifier-key.ts'

/** By what a log is signed, and by what it knows its own checkpoints again. */
export type LogKeys = {
  /** Each signs every checkpoint, the newest first; two while a key is replaced. */
  readonly signers: readonly NoteSigner[]
  /** Those of the signers, and of signers before them. */
  readonly verifiers: readonly VerifierKey[]
}

/** What a line of the text is wrong in; never quotes it. */
export class LogKeysError extends Error {
  override readonly name = 'LogKeysError'
}

/** One key a line: signer keys, and verifier keys of those that sign no more. Throws `LogKeysError`. */
export function parseLogKeys(text: string): LogKeys {
  const lines = logKeyLines(text)
  const parsed = lines.map((line, at) => {
    const isSigner = line.startsWith('PRIVATE+KEY+')
    return isSigner || at === 0
      ? { signer: signerAt(line, at) }
      : { verifier: verifierAt(line, at) }
  })
  const signers = parsed.flatMap(({ signer }) => signer ?? [])
  if (signers.length === 0) throw new LogKeysError('holds no key')
  const verifiers = parsed.map(({ signer, verifier }) => signer?.key ?? verifier)
  const [name] = verifiers.map((key) => key?.name)
  for (const [at, key] of verifiers.entries()) {
    if (key?.type === 'ed25519' && key.name === name) continue
    throw new LogKeysError(`line ${at + 1}: not a log key of the name ${name}`)
  }
  return { signers, verifiers: verifiers.filter((key) => key !== undefined) }
}

/** The lines that hold a key, as they are. */
export function logKeyLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

function signerAt(line: string, at: number): NoteSigner {
  return keyAt(() => parseSignerKey(line), `line ${at + 1}: not a signer key`)
}

function verifierAt(line: string, at: number): VerifierKey {
  return keyAt(() => parseVerifierKey(line), `line ${at + 1}: neither a signer nor a verifier key`)
}

function keyAt<Key>(parse: () => Key, problem: string): Key {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause
    // biome-ignore lint/style/useErrorCause: the cause may quote the key.
    throw new LogKeysError(problem)
  }
}
