import { Command } from 'commander'
import type { Config } from '#core/config.ts'
import { openLog } from '#core/log.ts'
import { listen } from '#gateway/listen.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { openFoundation, secretsOf, serveSettings } from './foundation.ts'
import { listenerTls } from './listener-tls.ts'
import { examples } from './manual.ts'
import { openAccess } from './open-access.ts'
import { openPublished } from './open-audit.ts'
import { openGateway } from './open-gateway.ts'
import { openIssuer } from './open-issuer.ts'
import { openServices } from './open-services.ts'
import { required, requireSettings } from './require-settings.ts'
import { runService, type Service } from './run-service.ts'

export function serveCommand(io: CommandIo): Command {
  return new Command('serve')
    .summary('the gateway: admit, authenticate and accept jobs over HTTP')
    .description(`Needs POSTERN_ACCESS_FILE, POSTERN_DATABASE_URL and, unless POSTERN_QUEUE=postgres,
POSTERN_REDIS_URL. With POSTERN_AUDIT_STORE it also answers for the published audit log. Stops on
SIGTERM within POSTERN_DRAIN_SECONDS.`)
    .addHelpText('after', examples('postern serve', 'POSTERN_LISTEN_PORT=9090 postern serve'))
    .action(() => serve(io))
}

async function serve(io: CommandIo): Promise<void> {
  const config = io.config()
  requireSettings(config, serveSettings(config))
  const log = openLog({ level: config.POSTERN_LOG_LEVEL, fields: { process: 'gateway' } })
  await runService(io, {
    log,
    start: (service) => startServing(io, config, service),
    onSignal: (signal) => log.info('serve.stopping', { signal }),
  })
}

async function startServing(io: CommandIo, config: Config, { log, stack }: Service): Promise<void> {
  const accessFile = required(config, 'POSTERN_ACCESS_FILE')
  const start = { config, log, version: io.version }
  const foundation = await openFoundation({ ...start, role: 'postern_gateway', stack })
  const local = await openIssuer(config, secretsOf(foundation))
  const services = await openServices(foundation, ['gateway'], local && [local.use])
  const source = { file: accessFile }
  const access = await openAccess(foundation, services, source, local?.issuer)
  const gateway = await openGateway(foundation, services, access, await openPublished(config))
  const place = { address: config.POSTERN_LISTEN_ADDRESS, port: config.POSTERN_LISTEN_PORT }
  const tls = await listenerTls(config, foundation.secrets)
  const listener = bind('POSTERN_LISTEN_PORT', place, () => listen({ gateway, ...place, tls, log }))
  stack.defer(() => listener.stop(config.POSTERN_DRAIN_SECONDS * 1_000))
  log.info('serve.ready', { url: listener.url })
}
