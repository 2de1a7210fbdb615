import { Command } from 'commander'
import type { Config } from '#core/config.ts'
import { openLog } from '#core/log.ts'
import { listenProbes } from '#gateway/listen-probes.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { engineSettings, openFoundation } from './foundation.ts'
import { examples } from './manual.ts'
import { openVerifiedLog } from './open-audit.ts'
import { openIncidents } from './open-incidents.ts'
import { openServices } from './open-services.ts'
import { openWorkers } from './open-workers.ts'
import { workerReadiness } from './readiness.ts'
import { requireSettings } from './require-settings.ts'
import { runService, type Service } from './run-service.ts'

export function workCommand(io: CommandIo): Command {
  return new Command('work')
    .summary('the workers: take jobs from the queue, commit their outcomes')
    .description(`Needs POSTERN_DATABASE_URL and, unless POSTERN_QUEUE=postgres, POSTERN_REDIS_URL. Answers
/healthz, /readyz and /metrics on POSTERN_PROBE_PORT at 127.0.0.1. On SIGTERM running jobs get
POSTERN_DRAIN_SECONDS; what is left goes back to the queue without spending an attempt. With
POSTERN_AUDIT_STORE and POSTERN_AUDIT_VERIFIER_KEYS the published log is verified every night.`)
    .addHelpText('after', examples('postern work', 'POSTERN_PROBE_PORT=9091 postern work'))
    .action(() => work(io))
}

async function work(io: CommandIo): Promise<void> {
  const config = io.config()
  requireSettings(config, engineSettings(config))
  const log = openLog({ level: config.POSTERN_LOG_LEVEL, fields: { process: 'worker' } })
  // A worker takes jobs, and is ready, before all of it is open: it is stopped in order from the start.
  await runService(io, {
    log,
    start: (service) => startWorking(io, config, service),
    onSignal: (signal) => log.info('work.stopping', { signal }),
  })
}

async function startWorking(io: CommandIo, config: Config, { log, stack }: Service): Promise<void> {
  const published = await openVerifiedLog(config)
  const start = { config, log, version: io.version }
  const foundation = await openFoundation({ ...start, role: 'postern_worker', stack })
  const { metrics } = foundation
  const services = await openServices(foundation, ['worker'])
  const readiness = workerReadiness({
    sql: foundation.database('probe', 1),
    registry: services.registry,
  })
  const port = config.POSTERN_PROBE_PORT
  const probes = stack.adopt(
    bind('POSTERN_PROBE_PORT', { address: '127.0.0.1', port }, () =>
      listenProbes({ port, readiness, metrics }),
    ),
    (open) => open.stop(),
  )
  await openWorkers(foundation, services, { published, environment: io.environment })
  openIncidents(foundation, services, { hasWorkers: true })
  log.info('work.ready', { probes: probes.url })
}
