import { ConfigError } from '../../config.ts'
import { NoteError } from '../note/note-error.ts'
import { parsePolicy } from '../note/policy.ts'
import { parseVerifierKey, type VerifierKey } from '../note/verifier-key.ts'
import type { TrustedLogs } from './judge-checkpoint.ts'

/**
 * The logs of a policy file (C2SP tlog-policy), or verifier keys, one a line, with `#` comments.
 * A log's origin is the name of its key; one that changes its key stands there twice for a while.
 * Throws `ConfigError`, for a file that names no log too.
 */
export function parseTrustedLogs(text: string): TrustedLogs {
  const keys = parseKeys(text)
  const stranger = keys.find((key) => key.type !== 'ed25519')
  if (stranger !== undefined) throw refused(`${stranger.name} is the key of a witness`)
  if (keys.length === 0) throw refused('names no log')
  return new Map(keys.map(({ name }) => [name, keys.filter((key) => key.name === name)] as const))
}

function parseKeys(text: string): readonly VerifierKey[] {
  const lines = text.split('\n').map((line) => line.trim())
  try {
    const isPolicy = lines.some((line) => /^(?:log|witness|group|quorum)[ \t]/.test(line))
    if (isPolicy) return parsePolicy(text).logs.map(({ key }) => key)
    return lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseVerifierKey)
  } catch (error) {
    if (error instanceof NoteError) throw refused(error.message)
    throw error
  }
}

function refused(problem: string): ConfigError {
  return new ConfigError([`--logs: ${problem}`])
}
