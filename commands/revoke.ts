import { userInfo } from 'node:os'
import { Command, Option } from 'commander'
import { type RevocableClaim, revoke } from '#core/access/deny-list.ts'
import type { Config } from '#core/config.ts'
import type { CommandIo } from './command-io.ts'
import { loadAccessRules } from './operator-access.ts'
import { withOperatorLog } from './operator-log.ts'

type RevokeOptions = {
  readonly issuer: string
  readonly jti?: string
  readonly subject?: string
  readonly kid?: string
  readonly reason: string
}

export function revokeCommand(io: CommandIo): Command {
  return new Command('revoke')
    .description('deny a token, a subject or a signing key at every gateway within seconds')
    .requiredOption('--issuer <issuer>', 'the token’s iss')
    .addOption(new Option('--jti <id>', 'one token').conflicts(['subject', 'kid']))
    .addOption(new Option('--subject <name>', 'all tokens of a subject').conflicts(['jti', 'kid']))
    .addOption(
      new Option('--kid <id>', 'all tokens of a signing key').conflicts(['jti', 'subject']),
    )
    .requiredOption('--reason <text>', 'for the audit record')
    .addHelpText(
      'after',
      `
Examples:
  $ postern revoke --issuer https://id.example --jti 0197c0de --reason 'pasted into a ticket'
  $ postern revoke --issuer https://id.example --kid 2026-03 --reason 'key leaked'`,
    )
    .action(async (options: RevokeOptions, command: Command) => {
      const denied = claimOf(options)
      if (denied === undefined) {
        return command.error('error: name one of --jti, --subject and --kid')
      }
      await revokeAt(io, options, denied)
    })
}

type Denied = { readonly claim: RevocableClaim; readonly value: string }

function claimOf({ jti, subject, kid }: RevokeOptions): Denied | undefined {
  if (jti !== undefined) return { claim: 'jti', value: jti }
  if (subject !== undefined) return { claim: 'sub', value: subject }
  return kid === undefined ? undefined : { claim: 'kid', value: kid }
}

async function revokeAt(
  io: CommandIo,
  { issuer, reason }: RevokeOptions,
  denied: Denied,
): Promise<void> {
  const by = `${userInfo().username} at a terminal`
  await withOperatorLog(io, 'revoke', by, async ({ sql, journal, now }) => {
    await revoke(sql, journal, { issuer, ...denied, reason, by, at: now() })
    await warnOfUnknownIssuer(io, io.config(), issuer)
    io.stdout.write(`revoked ${denied.claim} ${denied.value} of ${issuer}\n`)
  })
}

/** The act goes through all the same: what is leaked now may be of an issuer that was removed. */
async function warnOfUnknownIssuer(io: CommandIo, config: Config, issuer: string): Promise<void> {
  if (config.POSTERN_ACCESS_FILE === undefined) return
  const rules = await loadAccessRules(config).catch(() => undefined)
  if (rules === undefined || rules.issuers.some((entry) => entry.issuer === issuer)) return
  io.stderr.write(`warning: ${issuer} is no issuer of the access file; look at the spelling\n`)
}
