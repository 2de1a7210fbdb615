import { Command, Option } from 'commander'
import { PosternError } from '#core/errors.ts'
import { postgresRevocations } from '#core/revocation/postgres-revocations.ts'
import { checkRotation } from '#core/secret/rotation/check-rotation.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { type SecretDocument, secretReads } from '#core/secret/rotation/secret-reads.ts'
import type { CommandIo } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { operator, withOperatorLog } from './operator-log.ts'
import { secretNameArgument } from './secret-name-argument.ts'

const msPerDay = 86_400_000

export function listCommand(io: CommandIo): Command {
  return new Command('list')
    .summary('print the secrets that processes use: versions, due dates, users; never values')
    .description(`Reads Postgres; \`postern secrets stored\` prints what the file store holds.`)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples('postern secrets list', `postern secrets list --json | jq '.[] | select(.is_due)'`),
    )
    .action(async ({ json }: { readonly json?: true }) => {
      await withOperatorLog(io, 'secrets', operator(), async ({ sql, now }) => {
        const secrets = await secretReads(sql).list()
        if (json === true) io.stdout.write(jsonText(secrets))
        else for (const secret of secrets) io.stdout.write(lineOf(secret, now()))
      })
    })
}

function lineOf(secret: SecretDocument, now: Date): string {
  const days = Math.floor((Date.parse(secret.due_at) - now.getTime()) / msPerDay)
  const due = secret.is_due ? 'due' : `due in ${days} d`
  const proved = secret.used_by.filter((use) => use.is_proved).length
  const users = `${proved} of ${secret.used_by.length} processes proved`
  const open = secret.rotation === null ? '' : `, rotation at ${secret.rotation.step}`
  const how = secret.kind ?? 'by hand'
  return `${secret.name}  version ${secret.current_version}  ${how}  ${due}  ${users}${open}\n`
}

export function checkCommand(io: CommandIo): Command {
  return new Command('check')
    .summary('open the rotation of every secret that is due, and name those rotated by hand')
    .description(
      `What the job check-rotation does every day. The rotator takes what is opened to its end.`,
    )
    .option('--dry-run', 'say what would be opened')
    .option('--json', 'as JSON')
    .addHelpText('after', examples('postern secrets check --dry-run'))
    .action(async ({ dryRun, json }: { readonly dryRun?: true; readonly json?: true }) => {
      const by = operator()
      await withOperatorLog(io, 'secrets', by, async ({ sql, journal, now }) => {
        const rotations = postgresRotationJournal({ sql, journal, now })
        const isDryRun = dryRun === true
        const found = await checkRotation({ sql, journal, rotations, now, by, isDryRun })
        if (json === true) {
          io.stdout.write(`${JSON.stringify(found)}\n`)
          return
        }
        const tell = (names: readonly string[], words: string) => {
          for (const name of names) io.stdout.write(`${name}: ${words}\n`)
        }
        tell(found.opened, isDryRun ? 'due; would be rotated' : 'due; its rotation is opened')
        tell(found.under_way, 'due; its rotation is under way')
        tell(found.reminded, 'due soon or already, and rotated by hand only')
        const count = found.opened.length + found.under_way.length + found.reminded.length
        if (count === 0) io.stdout.write('nothing is due\n')
      })
    })
}

type RevokeOptions = {
  readonly version?: string
  readonly login?: string
  readonly reason: string
  readonly json?: true
}

export function revokeSecretCommand(io: CommandIo): Command {
  return new Command('revoke')
    .summary('take a version, or a login, of a secret out of use everywhere, at once')
    .description(`The rotator does it, within seconds: a version in force is rotated first, and processes have 2 s to
change over. \`GET /internal/revocations\` says since when it is refused.`)
    .argument('<name>', 'e.g. postern/database', secretNameArgument)
    .option('--version <id>', 'which leaked; without it the one in force')
    .addOption(new Option('--login <user>', 'or the login that leaked').conflicts('version'))
    .requiredOption('--reason <text>', 'for the audit record')
    .option('--json', 'the revocation as JSON')
    .addHelpText(
      'after',
      examples(
        `postern secrets revoke postern/database --reason 'in a screenshot'`,
        `postern secrets revoke postern/database --login app_a --reason 'in a screenshot'`,
      ),
    )
    .action(async (name: string, options: RevokeOptions) => {
      const by = operator()
      await withOperatorLog(io, 'secrets', by, async (log) => {
        const { version, login, reason } = options
        const pointer = await postgresRotationJournal(log).pointer(name)
        if (pointer === undefined) {
          throw new PosternError('secret.unknown', { detail: `No process has used ${name} yet.` })
        }
        const named =
          login === undefined
            ? ({ class: 'secret', value: `${name}@${version ?? pointer.current}` } as const)
            : ({ class: 'credential', value: `${name}:${login}` } as const)
        const revoked = await postgresRevocations(log).revoke({
          ...{ ...named, issuer: '', until: undefined, reason, by },
        })
        const text = `revoked ${revoked.class} ${revoked.value}; the rotator ends it\n`
        io.stdout.write(options.json === true ? `${JSON.stringify(revoked)}\n` : text)
      })
    })
}
