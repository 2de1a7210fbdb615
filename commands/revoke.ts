import { Command, Option } from 'commander'
import type { Config } from '#core/config.ts'
import { postgresRevocations } from '#core/revocation/postgres-revocations.ts'
import type { Revoked } from '#core/revocation/revocation.ts'
import type { CommandIo } from './command-io.ts'
import { examples } from './manual.ts'
import { loadAccessRules } from './operator-access.ts'
import { operator, withOperatorLog } from './operator-log.ts'
import { secretNameArgument } from './secret-name-argument.ts'

type RevokeOptions = {
  readonly issuer?: string
  readonly jti?: string
  readonly subject?: string
  readonly kid?: string
  readonly all?: true
  readonly secret?: string
  readonly version?: string
  readonly login?: string
  readonly reason: string
  readonly json?: true
}

const tokens = ['jti', 'subject', 'kid', 'all']

export function revokeCommand(io: CommandIo): Command {
  return new Command('revoke')
    .summary('deny tokens or a credential everywhere within seconds')
    .description(`Two persons: another one asks for the same within 15 minutes, here or over HTTP. The rotator revokes
secrets: a version in force is rotated first, and waits for nobody.`)
    .option('--issuer <issuer>', 'the token’s iss')
    .addOption(one('--jti <id>', 'one token', 'jti'))
    .addOption(one('--subject <name>', 'all tokens of a subject', 'subject'))
    .addOption(one('--kid <id>', 'all tokens of a signing key; takes two persons', 'kid'))
    .addOption(one('--all', 'all tokens of the issuer; takes two persons', 'all'))
    .addOption(
      new Option('--secret <name>', 'a secret')
        .conflicts([...tokens, 'issuer'])
        .argParser(secretNameArgument),
    )
    .option('--version <id>', 'the version of it that leaked')
    .addOption(new Option('--login <user>', 'or the login that leaked').conflicts('version'))
    .requiredOption('--reason <text>', 'for the audit record')
    .option('--json', 'the revocation as JSON')
    .addHelpText(
      'after',
      examples(
        `postern revoke --issuer https://id.example --jti 0197c0de --reason 'pasted into a ticket'`,
        `postern revoke --issuer https://id.example --kid 2026-03 --reason 'key leaked'`,
        `postern revoke --secret postern/database --version 7 --reason 'in a screenshot'`,
        `postern revoke --secret postern/database --login app_a --reason 'in a screenshot'`,
      ),
    )
    .action(async (options: RevokeOptions, command: Command) => {
      const revoked = revokedBy(options)
      if (revoked === undefined) {
        return command.error(
          'error: name --issuer with one of --jti, --subject, --kid and --all, or --secret with --version or --login',
        )
      }
      await revokeAt(io, options, revoked)
    })
}

function one(flags: string, description: string, name: string): Option {
  return new Option(flags, description).conflicts(tokens.filter((other) => other !== name))
}

function revokedBy(options: RevokeOptions): Revoked | undefined {
  const { issuer, secret } = options
  if (secret !== undefined) return secretRevokedBy(secret, options)
  if (issuer === undefined) return undefined
  const { jti, subject, kid } = options
  if (jti !== undefined) return { class: 'jti', issuer, value: jti }
  if (subject !== undefined) return { class: 'sub', issuer, value: subject }
  if (kid !== undefined) return { class: 'kid', issuer, value: kid }
  return options.all === true ? { class: 'iss', issuer, value: '' } : undefined
}

function secretRevokedBy(name: string, { version, login }: RevokeOptions): Revoked | undefined {
  const base = { issuer: '' }
  if (version !== undefined) return { ...base, class: 'secret', value: `${name}@${version}` }
  if (login === undefined) return undefined
  return { ...base, class: 'credential', value: `${name}:${login}` }
}

async function revokeAt(
  io: CommandIo,
  { reason, json }: RevokeOptions,
  revoked: Revoked,
): Promise<void> {
  const by = operator()
  await withOperatorLog(io, 'revoke', by, async (log) => {
    const document = await postgresRevocations(log).revoke({
      ...{ ...revoked, reason, by, until: undefined },
    })
    if (revoked.issuer !== '') await warnOfUnknownIssuer(io, io.config(), revoked.issuer)
    if (json === true) {
      io.stdout.write(`${JSON.stringify(document)}\n`)
      return
    }
    const what = `${revoked.class} ${revoked.value === '' ? revoked.issuer : revoked.value}`
    const of = revoked.issuer === '' || revoked.value === '' ? '' : ` of ${revoked.issuer}`
    io.stdout.write(
      document.state === 'in_force'
        ? `revoked ${what}${of}\n`
        : `${what}${of}: asked; not in force before a second person asks for the same\n`,
    )
  })
}

/** The act goes through all the same: what is leaked now may be of an issuer that was removed. */
async function warnOfUnknownIssuer(io: CommandIo, config: Config, issuer: string): Promise<void> {
  if (config.POSTERN_ACCESS_FILE === undefined) return
  const rules = await loadAccessRules(config).catch(() => undefined)
  if (rules === undefined || rules.issuers.some((entry) => entry.issuer === issuer)) return
  io.stderr.write(`warning: ${issuer} is no issuer of the access file; look at the spelling\n`)
}
