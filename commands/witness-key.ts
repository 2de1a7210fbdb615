import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { NoteError } from '#core/audit/note/note-error.ts'
import { generateSignerKey, type NoteSigner, parseSignerKey } from '#core/audit/note/signer.ts'
import type { VerifierKey } from '#core/audit/note/verifier-key.ts'
import { ConfigError } from '#core/config.ts'
import { readProtectedText } from '#core/secret/key-file.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import { isSecretReference } from '#core/secret/secret-reference.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { examples } from './manual.ts'

const keyFileMode = 0o400

/** What people call it, and what the key's type byte says (C2SP signed-note). */
const keyTypes = { log: 'ed25519', witness: 'cosignature' } as const

type KeygenOptions = {
  readonly name: string
  readonly type: keyof typeof keyTypes
  readonly key: string
}

export function keygenCommand(io: CommandIo): Command {
  return new Command('keygen')
    .summary('make a signer key and print its verifier key; never writes over one')
    .description(
      `A log's name is its origin. What is printed is public: hand it to whoever verifies.`,
    )
    .requiredOption('--name <name>', 'a URL without scheme, e.g. witness.example.com/w1')
    .addOption(
      new Option('--type <type>', 'what it will sign: a log its checkpoints, or a witness')
        .choices(Object.keys(keyTypes))
        .default('witness'),
    )
    .requiredOption('--key <file>', 'where to write it, mode 0400')
    .addHelpText(
      'after',
      examples(
        'postern witness keygen --name witness.example.com/w1 --key witness.key',
        'postern witness keygen --type log --name postern.example.com/audit --key log.key',
      ),
    )
    .action(async ({ name, type, key: path }: KeygenOptions, command: Command) => {
      const generated = generateOrUndefined(name, keyTypes[type])
      if (generated === undefined) {
        command.error('error: a name has no white space, no + and no control characters')
      }
      try {
        await writeFile(path, `${generated.signerKey}\n`, { mode: keyFileMode, flag: 'wx' })
      } catch (error) {
        io.stderr.write(`${path} cannot be made: ${codeOf(error)}\n`)
        process.exitCode = exitCodes.failed
        return
      }
      io.stdout.write(`${generated.verifierKey}\n`)
    })
}

function generateOrUndefined(name: string, type: VerifierKey['type']) {
  try {
    return generateSignerKey(name, type)
  } catch (error) {
    if (error instanceof NoteError) return undefined
    throw error
  }
}

/**
 * The key in a file that its owner alone can read, or behind a secret reference. Throws
 * `ConfigError` for what is no witness's key, `secret.unavailable` for an exposed file.
 */
export async function readWitnessKey(
  secrets: SecretReader | undefined,
  place: string,
): Promise<NoteSigner> {
  const text = isSecretReference(place)
    ? await resolveCredential(secrets, place)
    : await readProtectedText(place, 'key file')
  const signer = parseOrUndefined(text.trimEnd())
  if (signer === undefined) {
    throw new ConfigError([
      `--key: ${place} holds no key; make one with \`postern witness keygen\``,
    ])
  }
  if (signer.key.type !== keyTypes.witness) {
    throw new ConfigError([`--key: ${place} is a log's key; a witness needs one of its own`])
  }
  return signer
}

function parseOrUndefined(text: string): NoteSigner | undefined {
  try {
    return parseSignerKey(text)
  } catch (error) {
    if (error instanceof NoteError) return undefined
    throw error
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
