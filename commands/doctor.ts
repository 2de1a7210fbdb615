import { Command } from 'commander'
import type { AccessRules } from '#core/access/access-file.ts'
import type { Config } from '#core/config.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { accessChecks } from './doctor-access.ts'
import { auditChecks } from './doctor-audit.ts'
import type { AskSecrets, CheckGroup } from './doctor-check.ts'
import { databaseChecks, processChecks, redisChecks, storeChecks } from './doctor-checks.ts'
import { driftChecks } from './doctor-drift.ts'
import { hostChecks } from './doctor-hosts.ts'
import { issuerChecks } from './doctor-issuer.ts'
import { portChecks } from './doctor-ports.ts'
import { doctorMsMax, type Result, runChecks } from './doctor-run.ts'
import { examples } from './manual.ts'
import { openSecretStore, readerOf } from './open-secret-store.ts'
import { loadAccessRules } from './operator-access.ts'
import { progressLine } from './progress-line.ts'

type DoctorFlags = { readonly json?: boolean }

export function doctorCommand(io: CommandIo): Command {
  return new Command('doctor')
    .summary('check dependencies and settings, and name what mends them')
    .description(`Changes nothing, and takes ${doctorMsMax / 1_000} s at the most, whatever hangs. Each line is ok, warn, fail or
skip: what rests on something that has failed is not looked at.

Exits 0 when all is well (warnings allowed), 1 when something must be mended, 78 when the
configuration cannot be read or there is none.`)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      examples(
        'postern doctor',
        `postern doctor --json | jq '.checks[] | select(.status != "ok")'`,
      ),
    )
    .action((flags: DoctorFlags) => doctor(io, flags))
}

async function doctor(io: CommandIo, flags: DoctorFlags): Promise<void> {
  const isJson = flags.json === true
  const hasSettings = Object.keys(io.environment).some((name) => name.startsWith('POSTERN_'))
  if (!hasSettings) {
    io.stdout.write(isJson ? `${JSON.stringify({ checks: [] })}\n` : nothingConfigured)
    process.exitCode = exitCodes.configuration
    return
  }
  const results: Result[] = []
  const progress = progressLine(io)
  progress.keep(() => 'asking …')
  for await (const result of runChecks(groupsOf(io.config()))) {
    results.push(result)
    progress.wipe()
    if (!isJson) io.stdout.write(line(result, io.stdout.isTTY === true))
  }
  progress.clear()
  const failed = results.filter(({ status }) => status === 'fail').length
  io.stdout.write(isJson ? `${JSON.stringify({ checks: results })}\n` : summary(results, failed))
  process.exitCode = failed === 0 ? exitCodes.ok : exitCodes.failed
}

const nothingConfigured = `Nothing is configured: there is no POSTERN_* variable.

On a laptop:    postern up          everything in one process, nothing to set
In production:  POSTERN_ACCESS_FILE, POSTERN_DATABASE_URL, POSTERN_REDIS_URL (or POSTERN_QUEUE=postgres)
                and POSTERN_SECRET_STORE; then run this again
`

/** The access file is read and the secret store opened once, whoever asks for it. */
function groupsOf(config: Config): readonly CheckGroup[] {
  let rules: Promise<AccessRules> | undefined
  const read = () => {
    rules ??= loadAccessRules(config)
    return rules
  }
  let opened: ReturnType<AskSecrets>
  const secrets = () => {
    opened ??= openSecrets(config)
    return opened
  }
  return [
    { checks: processChecks(config) },
    { checks: portChecks(config) },
    { checks: accessChecks(config, read) },
    { checks: storeChecks(config, secrets), restOnFirst: true },
    { checks: issuerChecks(config, read, secrets) },
    { checks: hostChecks(config, read) },
    { checks: driftChecks(config) },
    { checks: auditChecks(config, secrets) },
    { checks: databaseChecks(config, secrets), restOnFirst: true },
    { checks: config.POSTERN_QUEUE === 'redis' ? redisChecks(config, secrets) : [] },
  ]
}

function openSecrets(config: Config): ReturnType<AskSecrets> {
  const open = openSecretStore(config)
  return open && { ...open, reader: readerOf(open.store) }
}

const colours = { ok: 32, warn: 33, fail: 31, skip: 2 } as const
const nameWidth = 'POSTERN_SEQUENCER_PROBE_PORT'.length + 2

function line({ check, status, detail, fix }: Result, isColoured: boolean): string {
  const word = status.padEnd(4)
  const mark = isColoured ? `\u001b[${colours[status]}m${word}\u001b[0m` : word
  const advice = fix === undefined ? '' : `\n      ${' '.repeat(nameWidth)}fix: ${fix}`
  return `${mark}  ${check.padEnd(nameWidth)}${detail}${advice}\n`
}

function summary(results: readonly Result[], failed: number): string {
  const warned = results.filter((result) => result.status === 'warn').length
  if (failed === 0) return `\nAll well${warned === 0 ? '' : `, ${warned} to consider`}.\n`
  return `\n${failed} of ${results.length} checks failed.\n`
}
