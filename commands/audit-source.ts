import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { NoteError } from '#core/audit/note/note-error.ts'
import { parsePolicy, type WitnessPolicy } from '#core/audit/note/policy.ts'
import { parseVerifierKey, type VerifierKey } from '#core/audit/note/verifier-key.ts'
import { openTileSource } from '#core/audit/store/open-tile-store.ts'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import type { LogPlace } from '#core/audit/verify/threaded-parts.ts'

/** Where a log is and whom to believe: what every reading command takes. */
export type SourceOptions = {
  readonly log: string
  readonly vkey?: readonly string[]
  readonly policy?: string
  readonly tokenFile?: string
  readonly s3Endpoint?: string
}

/** What is wrong with an argument; the command ends with 64 and this line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function withLog(command: Command): Command {
  return command
    .requiredOption('--log <place>', 'a folder, https://host/prefix/ or s3://bucket/prefix')
    .option('--token-file <file>', 'bearer token for an https:// log')
    .option('--s3-endpoint <url>', 'another S3 API than the one of AWS')
}

export function withTrust(command: Command): Command {
  return command
    .requiredOption('--vkey <key…>', 'verifier key of the log, or a file of them', collect, [])
    .option('--policy <file>', 'whose cosignatures it takes (C2SP tlog-policy)')
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value
  throw new InvalidArgumentError('it is a whole number')
}

/** Throws `UsageError`, `ConfigError`. */
export async function openPlace(options: SourceOptions): Promise<LogPlace> {
  const token =
    options.tokenFile === undefined ? undefined : (await readText(options.tokenFile)).trim()
  // Nothing is written, so nothing is locked.
  const s3 = { retentionDays: 1, endpoint: options.s3Endpoint }
  return { location: options.log, options: { ...s3, token } }
}

export async function openSource(options: SourceOptions): Promise<TileSource> {
  const { location, options: access } = await openPlace(options)
  return await openTileSource(location, access)
}

/** Keys as they stand on the command line, or in files, one a line with `#` comments. */
export async function readKeys(values: readonly string[]): Promise<readonly VerifierKey[]> {
  if (values.length === 0) throw new UsageError('--vkey: name the key of the log')
  const texts = await Promise.all(values.map(keyLines))
  return texts.flat().map((text) => {
    try {
      return parseVerifierKey(text)
    } catch (cause) {
      if (!(cause instanceof NoteError)) throw cause
      throw new UsageError(`--vkey: ${cause.message}`, { cause })
    }
  })
}

async function keyLines(value: string): Promise<readonly string[]> {
  if (/^[^/\s]\S*\+[0-9a-f]{8}\+\S+$/.test(value)) return [value]
  const lines = (await readText(value)).split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '' && !line.startsWith('#'))
}

export async function readPolicyFile(path: string | undefined): Promise<WitnessPolicy | undefined> {
  if (path === undefined) return undefined
  const text = await readText(path)
  try {
    return parsePolicy(text)
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause
    throw new UsageError(`--policy: ${path}: ${cause.message}`, { cause })
  }
}

export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new UsageError(`${path} cannot be read`, { cause })
  }
}

/** Runs an action; what is wrong with its arguments is a usage error of commander. */
export async function asUsage<Result>(command: Command, act: () => Promise<Result>) {
  try {
    return await act()
  } catch (error) {
    if (error instanceof UsageError) return command.error(`error: ${error.message}`)
    throw error
  }
}
