import { Command, InvalidArgumentError } from 'commander'
import { developmentIssuer } from '#core/access/access-file.ts'
import {
  type DevelopmentKey,
  developmentAudience,
  developmentTtlSecondsMax,
  loadOrCreateDevelopmentKey,
  mintDevelopmentToken,
} from '#core/access/development-issuer.ts'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import { ConfigError } from '#core/config.ts'
import type { CommandIo } from './command-io.ts'
import { inspectCommand } from './inspect-token.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { parseSpanMs } from './parse-span.ts'

const ttlSecondsDefault = 3_600

type MintOptions = {
  readonly subject: string
  readonly scope: readonly string[]
  readonly ttl: number
  readonly audience: string
}

export function tokenCommand(io: CommandIo): Command {
  return new Command('token')
    .summary('mint and inspect tokens; make keys of the local issuer')
    .addCommand(mintCommand(io))
    .addCommand(inspectCommand(io))
    .addCommand(keygenCommand(io))
    .addCommand(issuerKeysCommand(io))
    .addHelpText(
      'after',
      examples('postern token mint --scope jobs:read', 'postern token inspect < token.txt'),
    )
}

function mintCommand(io: CommandIo): Command {
  return new Command('mint')
    .summary('sign a token with the development key of the data directory')
    .description(
      `\`postern up\` trusts this key. Refused with POSTERN_MODE=production, as the issuer is.`,
    )
    .option('--subject <name>', 'who the token is for', 'developer')
    .requiredOption('--scope <scope...>', 'what it grants, one or more')
    .option(
      '--ttl <duration>',
      'e.g. 90s, 15m, 24h; a day at the most',
      parseTtl,
      ttlSecondsDefault,
    )
    .option('--audience <name>', 'who it is meant for', developmentAudience)
    .addHelpText(
      'after',
      examples(
        'postern token mint --scope jobs:read jobs:write:scoring',
        'TOKEN=$(postern token mint --subject desk-a --scope jobs:read --ttl 15m)',
      ),
    )
    .action((options: MintOptions) => mint(io, options))
}

async function mint(io: CommandIo, options: MintOptions): Promise<void> {
  const { subject, scope: scopes, ttl: ttlSeconds, audience } = options
  const key = await developmentKeyOf(io)
  const now = new Date()
  const token = await mintDevelopmentToken({ key, subject, scopes, ttlSeconds, audience, now })
  io.stdout.write(`${token}\n`)
}

function keygenCommand(io: CommandIo): Command {
  return new Command('keygen')
    .summary('make the development key and print the issuer to paste into an access file')
    .addHelpText('after', examples('postern token keygen'))
    .action(async () => {
      const { publicJwk } = await developmentKeyOf(io)
      const issuer = {
        issuer: developmentIssuer,
        audiences: [developmentAudience],
        algorithms: ['EdDSA'],
        keys: { jwks: { keys: [publicJwk] } },
        scopes: ['jobs:read'],
      }
      io.stdout.write(jsonText(issuer))
    })
}

function issuerKeysCommand(io: CommandIo): Command {
  return new Command('issuer-keys')
    .summary('print the first keys of the local issuer, to be put into the secret store')
    .description(`Private keys, as a JSON object of strings; nothing is kept here, and nothing is printed at a terminal.
Then set POSTERN_ISSUER and POSTERN_ISSUER_KEYS=secret:postern/issuer#current, give the access file
an issuer with \`"keys": {"local": true}\`, and have them rotated:
\`postern secrets set-rotation postern/issuer --kind issuer-key\`.`)
    .addHelpText(
      'after',
      examples(
        'postern token issuer-keys | postern secrets put postern/issuer',
        'postern token issuer-keys | vault kv put -mount=secret postern/issuer -',
        `aws secretsmanager create-secret --name postern/issuer \
      --secret-string "$(postern token issuer-keys)"`,
      ),
    )
    .action(async (_options: object, command: Command) => {
      if (io.stdout.isTTY === true) {
        command.error('error: these are private keys; pipe them into the secret store')
      }
      io.stdout.write(`${JSON.stringify(await freshIssuerKeys())}\n`)
    })
}

/** A laptop need not say that it is one: only an explicit production refuses. */
async function developmentKeyOf(io: CommandIo): Promise<DevelopmentKey> {
  const { POSTERN_DATA_DIRECTORY: directory } = io.config()
  if (io.environment['POSTERN_MODE'] === 'production') {
    throw new ConfigError(['POSTERN_MODE: production trusts no development key'])
  }
  return await loadOrCreateDevelopmentKey(directory)
}

function parseTtl(text: string): number {
  const seconds = (parseSpanMs(text, ['s', 'm', 'h']) ?? Number.NaN) / 1_000
  if (seconds <= developmentTtlSecondsMax) return seconds
  throw new InvalidArgumentError('Write 90s, 15m or 24h; 24h is the most.')
}
