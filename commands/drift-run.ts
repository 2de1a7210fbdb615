import { Command, Option } from 'commander'
import { recordedTransaction } from '#core/audit/journal-rows.ts'
import type { Config } from '#core/config.ts'
import { checkDrift, resultOf } from '#core/drift/check-drift.ts'
import type { DriftStep } from '#core/drift/decide-step.ts'
import { type DriftSource, driftSources } from '#core/drift/finding.ts'
import { applyDriftStep } from '#core/drift/postgres-drift.ts'
import { isRetryable, PosternError } from '#core/errors.ts'
import { connectProducer } from '#core/job/redis-connect.ts'
import { rethrowAsOutage } from '#core/postgres/outage.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { openDriftLooks } from './open-drift.ts'
import { openSecretReader } from './open-secret-store.ts'
import { type OperatorLog, operator, withOperatorLog } from './operator-log.ts'
import { printable } from './printable.ts'
import { required } from './require-settings.ts'

type RunOptions = { readonly source?: readonly DriftSource[]; readonly json?: true }

export function runDriftCommand(io: CommandIo): Command {
  return new Command('run')
    .summary('check now, in this process')
    .description(`plan       takes the signed plan that CI left at POSTERN_DRIFT_PLAN; one of more than 26 hours is refused
terraform  makes a plan of POSTERN_DRIFT_WORKSPACE; needs terraform on PATH (the image's target drift)
runtime    compares what is configured with what runs

Exits 0 when nothing differs, 1 when something does or no plan could be judged, 75 when something did
not answer: run it again. A run that could not judge its source closes no finding.`)
    .addOption(
      new Option(
        '--source <sources...>',
        'what to look at; without it what runs, and the plan',
      ).choices(driftSources),
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples(
        'postern drift run',
        'postern drift run --source plan',
        'postern drift run --source terraform --json',
      ),
    )
    .action((options: RunOptions) => run(io, options))
}

async function run(io: CommandIo, { source: sources, json }: RunOptions): Promise<void> {
  const config = io.config()
  const stopping = new AbortController()
  void io.terminated().then((signal) => stopping.abort(stopped(signal)))
  try {
    await withOperatorLog(io, 'drift', operator(), async (log) => {
      const steps = await check(io, config, { log, sources, signal: stopping.signal })
      io.stdout.write(json === true ? stepsText(steps) : steps.map(describe).join(''))
      const isClean = steps.every(({ run: { findings } }) => findings === 0)
      process.exitCode = isClean ? exitCodes.ok : exitCodes.failed
    })
  } catch (error) {
    explain(io, error)
  }
}

async function check(
  io: CommandIo,
  config: Config,
  about: {
    readonly log: OperatorLog
    readonly sources: readonly DriftSource[] | undefined
    readonly signal: AbortSignal
  },
): Promise<readonly DriftStep[]> {
  const { log, sources, signal } = about
  const { sql, journal, now } = log
  await using stack = new AsyncDisposableStack()
  const looks = await openDriftLooks({
    ...{ config, environment: io.environment, sql, now },
    // As workers decide it: one that only checks knows of no schedule that they have not.
    isLogPublished:
      config.POSTERN_AUDIT_STORE !== undefined && config.POSTERN_AUDIT_VERIFIER_KEYS !== undefined,
    redis: async () =>
      config.POSTERN_QUEUE === 'redis' ? await openRedis(config, stack) : undefined,
  })
  const steps = await checkDrift({ sql, looks, now }, { sources, by: operator(), signal })
  await recordedTransaction(sql, journal, async (transaction, record) => {
    for (const step of steps) {
      await applyDriftStep(transaction, step)
      await record(step.records)
    }
  }).catch(rethrowAsOutage)
  return steps
}

async function openRedis(config: Config, stack: AsyncDisposableStack) {
  const reference = required(config, 'POSTERN_REDIS_URL')
  const connection = connectProducer({
    url: await resolveCredential(openSecretReader(config), reference),
    caFile: config.POSTERN_REDIS_CA_FILE,
    mode: config.POSTERN_MODE,
    cluster: config.POSTERN_REDIS_CLUSTER,
  })
  return stack.adopt(connection, (open) => open.disconnect())
}

/** Nothing was stored, and what Terraform had made is gone. */
function stopped(signal: string): PosternError {
  const detail = `Ended by ${signal}; nothing was stored.`
  return new PosternError('drift.overtaken', { detail })
}

/** Outages may pass; what this process lacks is a matter of its configuration. */
function explain(io: CommandIo, error: unknown): void {
  if (!(error instanceof PosternError)) throw error
  io.stderr.write(`${error.code}: ${error.detail ?? error.message}\n`)
  const isMissing =
    error.code === 'drift.not_configured' || error.code === 'drift.terraform_missing'
  if (isRetryable(error)) process.exitCode = exitCodes.tryAgain
  else process.exitCode = isMissing ? exitCodes.configuration : exitCodes.failed
}

function describe({ source, run, seen, resolved }: DriftStep): string {
  const noise = run.noise === 0 ? '' : `, ${run.noise} of noise`
  return [
    `${source}: ${run.verdict}, ${run.findings} findings (${run.opened} new), ${run.resolved} resolved${noise}\n`,
    ...seen.map((one) => `  ${one.severity.padEnd(8)}  ${printable(one.summary)}\n`),
    ...resolved.map((one) => `  resolved  ${printable(one.summary)}\n`),
  ].join('')
}

function stepsText(steps: readonly DriftStep[]): string {
  const found = steps.map(({ source, seen }) => ({
    source,
    findings: seen.map(({ id: _id, ...finding }) => finding),
  }))
  return jsonText({ ...resultOf(steps), found })
}
