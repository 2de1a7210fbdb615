import { Command, Option } from 'commander'
import type { Config } from '#core/config.ts'
import { openLog } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import { listen } from '#gateway/listen.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { openFoundation, secretsOf, serveSettings } from './foundation.ts'
import { listenerTls } from './listener-tls.ts'
import { examples } from './manual.ts'
import { openAccess } from './open-access.ts'
import { openPublished } from './open-audit.ts'
import { openGateway } from './open-gateway.ts'
import { openIncidents } from './open-incidents.ts'
import { openIssuer } from './open-issuer.ts'
import { openServices } from './open-services.ts'
import { claimPort, parseIndex, processesOption, superviseParts } from './processes.ts'
import { required, requireSettings } from './require-settings.ts'
import { runService, type Service } from './run-service.ts'
import { siblingMetrics } from './sibling-metrics.ts'
import { gatewayParts } from './supervise.ts'

/** What `serve` and its siblings are told on the command line. */
type ServeOptions = { readonly processes: number; readonly sibling?: number }

export function serveCommand(io: CommandIo): Command {
  return new Command('serve')
    .summary('the gateway: admit, authenticate and accept jobs over HTTP')
    .description(`Needs POSTERN_ACCESS_FILE, POSTERN_DATABASE_URL and, unless POSTERN_QUEUE=postgres,
POSTERN_REDIS_URL. With POSTERN_AUDIT_STORE it also answers for the published audit log. Stops on
SIGTERM within POSTERN_DRAIN_SECONDS.

A process uses one core. Several of them share the port; the kernel spreads connections over them, so
that callers need more than a few, and a subject's limits are divided among them.`)
    .addOption(processesOption())
    .addOption(
      // Not for people: which of the processes that share the port this one is.
      new Option('--sibling <index>', 'which sibling').argParser(parseIndex).hideHelp(),
    )
    .addHelpText(
      'after',
      examples(
        'postern serve',
        'POSTERN_LISTEN_PORT=9090 postern serve',
        'postern serve --processes 4',
      ),
    )
    .action((options: ServeOptions) => {
      if (options.sibling !== undefined || options.processes === 1) return serve(io, options)
      return serveTogether(io, options.processes)
    })
}

/** Several gateways under one supervisor, as `run` starts them. */
async function serveTogether(io: CommandIo, processes: number): Promise<void> {
  const config = io.config()
  requireSettings(config, serveSettings(config))
  claimPort(config)
  process.exitCode = await superviseParts(io, gatewayParts(processes))
}

async function serve(io: CommandIo, { sibling }: ServeOptions): Promise<void> {
  const config = io.config()
  requireSettings(config, serveSettings(config))
  const named = sibling === undefined ? {} : { sibling }
  const log = openLog({ level: config.POSTERN_LOG_LEVEL, fields: { process: 'gateway', ...named } })
  await runService(io, {
    log,
    start: (service) => startServing(io, { config, sibling }, service),
    onSignal: (signal) => log.info('serve.stopping', { signal }),
  })
}

type Serving = { readonly config: Config; readonly sibling: number | undefined }

async function startServing(
  io: CommandIo,
  { config, sibling }: Serving,
  { log, stack }: Service,
): Promise<void> {
  const accessFile = required(config, 'POSTERN_ACCESS_FILE')
  const start = { config, log, version: io.version }
  const foundation = await openFoundation({ ...start, role: 'postern_gateway', stack })
  const local = await openIssuer(config, secretsOf(foundation))
  const services = await openServices(foundation, ['gateway'], local && [local.use])
  const source = { file: accessFile }
  const access = await openAccess(foundation, services, source, local?.issuer)
  const gateway = await openGateway(foundation, services, access, {
    published: await openPublished(config),
    readMetrics: sibling === undefined ? undefined : readAllMetrics(foundation.metrics, sibling),
  })
  const place = { address: config.POSTERN_LISTEN_ADDRESS, port: config.POSTERN_LISTEN_PORT }
  const tls = await listenerTls(config, foundation.secrets)
  const listening = { gateway, ...place, tls, log, sharesPort: sibling !== undefined }
  const listener = bind('POSTERN_LISTEN_PORT', place, () => listen(listening))
  stack.defer(() => listener.stop(config.POSTERN_DRAIN_SECONDS * 1_000))
  openIncidents(foundation, services, { access, hasWorkers: false })
  log.info('serve.ready', { url: listener.url })
}

function readAllMetrics({ registry }: Metrics, index: number): () => Promise<string> {
  return siblingMetrics(registry, index, {
    send: (message) => void process.send?.(message),
    onMessage: (listener) => void process.on('message', listener),
  })
}
