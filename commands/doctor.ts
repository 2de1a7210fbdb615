import { Command } from 'commander'
import { type Config, ConfigError } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import {
  type Check,
  databaseChecks,
  processChecks,
  redisChecks,
  storeChecks,
} from './doctor-checks.ts'
import { driftChecks } from './doctor-drift.ts'
import { hostChecks } from './doctor-hosts.ts'
import { issuerChecks } from './doctor-issuer.ts'
import { examples } from './manual.ts'

type DoctorFlags = { readonly json?: boolean }

export function doctorCommand(io: CommandIo): Command {
  return new Command('doctor')
    .summary('check dependencies and settings, and name what mends them')
    .description(`Changes nothing. Exits 0 when all is well (warnings allowed), 1 when something must be mended, 78 when
the configuration cannot be read or there is none.`)
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
  const hasSettings = Object.keys(io.environment).some((name) => name.startsWith('POSTERN_'))
  if (!hasSettings) {
    io.stdout.write(flags.json === true ? `${JSON.stringify({ checks: [] })}\n` : nothingConfigured)
    process.exitCode = exitCodes.configuration
    return
  }
  const config = io.config()
  const results: Result[] = []
  for (const check of allChecks(config)) {
    const result = await runCheck(check)
    results.push(result)
    if (flags.json !== true) io.stdout.write(line(result, io.stdout.isTTY === true))
  }
  if (flags.json === true) io.stdout.write(`${JSON.stringify({ checks: results })}\n`)
  const failed = results.filter((result) => result.status === 'fail').length
  if (flags.json !== true) io.stdout.write(summary(results, failed))
  process.exitCode = failed === 0 ? exitCodes.ok : exitCodes.failed
}

const nothingConfigured = `Nothing is configured: there is no POSTERN_* variable.

On a laptop:    postern up          everything in one process, nothing to set
In production:  POSTERN_ACCESS_FILE, POSTERN_DATABASE_URL, POSTERN_REDIS_URL (or POSTERN_QUEUE=postgres)
                and POSTERN_SECRET_STORE; then run this again
`

function allChecks(config: Config): readonly Check[] {
  return [
    ...processChecks(config),
    ...storeChecks(config),
    ...issuerChecks(config),
    ...hostChecks(config),
    ...driftChecks(config),
    ...databaseChecks(config),
    ...(config.POSTERN_QUEUE === 'redis' ? redisChecks(config) : []),
  ]
}

type Result = {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly detail: string
  readonly fix?: string
}

/** A throw is a failure; its words name the fix. */
async function runCheck({ name, run }: Check): Promise<Result> {
  try {
    return { check: name, ...(await run()) }
  } catch (error) {
    return { check: name, status: 'fail', ...explain(error) }
  }
}

/** How OpenSSL says that nobody it trusts signed the server's certificate. */
const untrusted = /UNABLE_TO_|unable to (?:get|verify)|self.signed/i
const trustFix =
  'name the PEM of its authority in POSTERN_DATABASE_CA_FILE or POSTERN_REDIS_CA_FILE'

function explain(error: unknown): { readonly detail: string; readonly fix?: string } {
  if (error instanceof ConfigError) return { detail: error.problems.join('; ') }
  if (error instanceof PosternError) {
    const detail = error.detail ?? error.message
    const fix = untrusted.test(detail) ? trustFix : `see ${error.code} in the runbook`
    return { detail: `${error.code}: ${detail}`, fix }
  }
  return { detail: error instanceof Error ? error.message : String(error) }
}

const colours = { ok: 32, warn: 33, fail: 31 } as const
const nameWidth = 'POSTERN_TLS_CERTIFICATE'.length + 1

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
