import { Command, Option } from 'commander'
import { ConfigError } from '#core/config.ts'
import { rethrowAsOutage } from '#core/postgres/outage.ts'
import { adoptPointer } from '#core/secret/rotation/adopt-pointer.ts'
import { fingerprintOf, readFingerprintKey } from '#core/secret/rotation/fingerprint.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import type { CommandIo } from './command-io.ts'
import { graceSecondsMax } from './key-kinds.ts'
import { examples } from './manual.ts'
import { openSecretStore } from './open-secret-store.ts'
import { rotationKinds } from './open-target.ts'
import { type OperatorLog, operator, withOperatorLog } from './operator-log.ts'
import type { KindOption, KindOptions } from './rotation-kind.ts'
import { secretNameArgument } from './secret-name-argument.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'

const daysDefault = 90
const daysMax = 36_500

type SetRotationOptions = KindOptions & { readonly kind: string; readonly days: number }

export function setRotationCommand(io: CommandIo): Command {
  const kinds = new Option('--kind <kind>', 'what it is').choices([...rotationKinds.keys()])
  return new Command('set-rotation')
    .summary('say how a secret is rotated, and how often')
    .description(`The second login gets the roles, or the ACL rules, of the first. The admin of Postgres has
CREATEROLE, ADMIN on both logins and pg_signal_backend; the one of Redis may run ACL and CLIENT.
ElastiCache: the role of the workload may DescribeUsers and ModifyUser; without --admin the login that
is kept ends the other's connections, and may run CLIENT KILL.
Webhooks and checkpoints are signed by the new key and the one before it, until the next rotation.`)
    .argument('<name>', 'e.g. postern/database', secretNameArgument)
    .addOption(kinds.makeOptionMandatory())
    .option('--users <a,b>', 'logins: the two that take turns')
    .option('--admin <reference>', 'logins: the one that may change both, a URL')
    .option('--user-ids <a,b>', 'elasticache-user: the ids of the two, in their order')
    .option('--region <name>', 'elasticache-user: the region of AWS')
    .option('--endpoint <url>', 'elasticache-user: where its API is, if elsewhere')
    .option('--member <name>', 'the member that is replaced (default: url, key or keys)')
    .option(
      '--grace-seconds <count>',
      'api-key: seconds that the old key lives on',
      wholeNumberArgument(0, graceSecondsMax),
    )
    .option('--hook <url>', 'api-key: who makes, tries and ends keys')
    .option('--hook-token <reference>', 'api-key: what the hook lets us in by')
    .option(
      '--days <count>',
      'days between rotations',
      wholeNumberArgument(1, daysMax),
      daysDefault,
    )
    .addHelpText(
      'after',
      examples(
        `postern secrets set-rotation postern/database --kind postgres-role --users app_a,app_b \
      --admin secret:postern/rotator#url`,
        `postern secrets set-rotation postern/redis --kind redis-user --users red_a,red_b \
      --admin secret:postern/redis-admin#url`,
        `postern secrets set-rotation postern/redis --kind elasticache-user --users red_a,red_b \
      --user-ids desk-red-a,desk-red-b --region eu-central-1`,
        'postern secrets set-rotation postern/webhook --kind webhook-key',
        'postern secrets set-rotation postern/audit --kind audit-key --days 365',
        'postern secrets set-rotation postern/issuer --kind issuer-key',
        `postern secrets set-rotation desk/feed --kind api-key --grace-seconds 600 \
      --hook https://keys.example.com/rotate --hook-token secret:desk/hook#token`,
      ),
    )
    .action(async (name: string, options: SetRotationOptions, command: Command) => {
      const { kind, days: rotationDays } = options
      const described = describe(options)
      if ('problem' in described) command.error(`error: ${described.problem}`)
      const { settings, saying } = described
      const by = operator()
      await withOperatorLog(io, 'secrets', by, async ({ sql, journal, now }) => {
        const rotations = postgresRotationJournal({ sql, journal, now })
        if (rotationKinds.get(kind)?.isUsedOutside) {
          await adoptFound(io, { sql, journal, now }, name)
        }
        await rotations.configure(name, { kind, settings, rotationDays }, by)
      })
      io.stdout.write(`${name}: ${saying} every ${rotationDays} days\n`)
    })
}

/** The version that the store calls current, where no process has adopted one. */
async function adoptFound(
  io: CommandIo,
  log: Pick<OperatorLog, 'sql' | 'journal' | 'now'>,
  name: string,
): Promise<void> {
  const opened = openSecretStore(io.config())
  if (opened === undefined)
    throw new ConfigError(['POSTERN_SECRET_STORE: nothing is rotated without'])
  const version = await opened.store.currentVersion(name)
  const members = await opened.store.read(name, version)
  const fingerprint = fingerprintOf(await readFingerprintKey(log.sql), name, members)
  await adoptPointer(log, { name, version, fingerprint }).catch(rethrowAsOutage)
}

/** As commander writes them. */
const flags: Readonly<Record<KindOption, string>> = {
  users: '--users',
  userIds: '--user-ids',
  admin: '--admin',
  member: '--member',
  graceSeconds: '--grace-seconds',
  hook: '--hook',
  hookToken: '--hook-token',
  region: '--region',
  endpoint: '--endpoint',
}

function describe({ kind, days: _, ...given }: SetRotationOptions) {
  const of = rotationKinds.get(kind)
  if (of === undefined) return { problem: `--kind ${kind} is not known` }
  for (const [option, flag] of Object.entries(flags)) {
    const isGiven = option in given
    const isNeeded = of.needs.some((one) => one === option)
    if (isNeeded && !isGiven) return { problem: `--kind ${kind} needs ${flag}` }
    const isTaken = isNeeded || of.takes.some((one) => one === option)
    if (isGiven && !isTaken) return { problem: `--kind ${kind} takes no ${flag}` }
  }
  return of.describe(given)
}
