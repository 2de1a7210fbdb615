import { Hono } from 'hono'
import { parseConfig } from '#core/config.ts'
import { postgresJobSignals } from '#core/job/job-signals.ts'
import { postgresIntake } from '#core/job/postgres-intake.ts'
import { postgresJobStore } from '#core/job/postgres-job-store.ts'
import { postgresQueueControl } from '#core/job/postgres-queue-control.ts'
import { openLog } from '#core/log.ts'
import { answer } from '#gateway/answer.ts'
import { createGateway } from '#gateway/app.ts'
import { authenticate } from '#gateway/authenticate.ts'
import { authorize } from '#gateway/authorize.ts'
import type { GatewayContext, GatewayEnv } from '#gateway/context.ts'
import { listen } from '#gateway/listen.ts'
import { rateLimit } from '#gateway/rate-limit.ts'
import { refuseAmbiguous } from '#gateway/request-guard.ts'
import { defineRoute } from '#gateway/route.ts'
import { inOrder } from '#gateway/step.ts'
import { zoneAllowlist } from '#gateway/zone-allowlist.ts'
import { openFoundation } from '../../commands/foundation.ts'
import { openAccess } from '../../commands/open-access.ts'
import { openServices } from '../../commands/open-services.ts'
import { terminated } from '../../commands/process-life.ts'
import { withoutRecords } from './audit-unrecorded.ts'
import { benchKind } from './bench-kind.ts'

/**
 * The gateway as `serve` opens it, with the bench's kind and a read that costs nothing; with
 * `unrecorded` the same, but accepting a job writes no audit record; with `chain` only what decides
 * whether a caller is admitted. Log lines go to stdout.
 *
 *   bun test/bench/gateway-side.ts full|unrecorded|chain <port> <access document as JSON>
 */
const [mode = '', port = '', document = ''] = process.argv.slice(2)

const config = parseConfig(process.env)
const log = openLog({ level: 'info' })
await using stack = new AsyncDisposableStack()
const foundation = await openFoundation({
  ...{ config, log, version: 'bench', stack },
  role: 'postern_gateway',
})
const services = await openServices(foundation, ['gateway'])
const access = await openAccess(foundation, services, { document: JSON.parse(document) })
const { now } = foundation
const liveGateways = () => 1

if (mode === 'chain') serveChain()
else await serveGateway()
await terminated()
process.exit(0)

function tellNothing(c: GatewayContext): Response {
  return answer(c, 200, { status: 'ok' })
}

async function serveGateway(): Promise<void> {
  const { queue, metrics } = foundation
  const kinds = new Map([[benchKind.name, benchKind]])
  const sql = foundation.database('gateway', 8)
  const signals = await postgresJobSignals({
    open: () => foundation.database('signals', 1),
    log,
    channels: ['finished', 'aborted'],
  })
  const { journal } = services
  const stores = {
    sql,
    journal,
    queue,
    kinds,
    signals,
    onOutbox: () => services.sweeper.nudge(),
    now,
  }
  const accepting = { sql: foundation.database('intake', 1), journal }
  const gateway = createGateway({
    ...{ access, metrics, log, now, liveGateways, audit: services.audit },
    kinds: [...kinds.values()],
    intake: postgresIntake({
      ...(mode === 'unrecorded' ? withoutRecords(accepting) : accepting),
      queue,
      log,
      metrics,
      now,
    }),
    jobs: postgresJobStore(stores),
    queues: postgresQueueControl(stores),
    routes: [
      defineRoute({
        method: 'GET',
        path: '/v1/nothing',
        zone: 'v1',
        scope: 'jobs:read',
        operationId: 'nothing',
        summary: 'For benches',
        answers: {},
        refusals: [],
        handle: tellNothing,
      }),
    ],
    readiness: () => ({ ready: true, checks: {} }),
  })
  listen({ gateway, address: '127.0.0.1', port: Number(port), log })
}

function serveChain(): void {
  const app = new Hono<GatewayEnv>()
  const steps = [
    refuseAmbiguous,
    zoneAllowlist(access, 'v1'),
    authenticate(access),
    authorize(access, 'jobs:read'),
    rateLimit(access, { now, liveGateways }),
  ]
  app.get('/v1/nothing', inOrder(steps, tellNothing))
  Bun.serve({
    hostname: '127.0.0.1',
    port: Number(port),
    development: false,
    fetch: (request, server) =>
      app.fetch(request, {
        remoteAddress: server.requestIP(request)?.address,
        setIdleSeconds: (seconds: number) => server.timeout(request, seconds),
      }),
  })
}
