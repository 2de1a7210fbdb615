import { Hono } from 'hono'
import type { AccessControl } from '#core/access/access-control.ts'
import type { AuditLog } from '#core/audit/audit-log.ts'
import { PosternError } from '#core/errors.ts'
import type { Intake } from '#core/job/intake.ts'
import type { JobStore, QueueControl } from '#core/job/job-store.ts'
import type { JobKind } from '#core/job/kind.ts'
import type { Log } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import type { Tracing } from '#core/trace/tracing.ts'
import { type Admission, admission, type RouteAdmission } from './admission.ts'
import { authenticate } from './authenticate.ts'
import { authorize } from './authorize.ts'
import type { GatewayContext, GatewayEnv } from './context.ts'
import { exactFirstRouter } from './exact-first-router.ts'
import { observe } from './observe.ts'
import { openApiRoute } from './openapi.ts'
import { asPosternError, problemHeaders, problemOf, renderProblem } from './problem.ts'
import { rateLimit } from './rate-limit.ts'
import { readAudit } from './read-audit.ts'
import { failedRecord, refusalAudit } from './refusal-audit.ts'
import { refuseAmbiguous } from './request-guard.ts'
import { type BodyDeclaration, type Route, type RouteInput, templateOf } from './route.ts'
import { batchRoute } from './routes/batch.ts'
import { enqueueRoutes } from './routes/enqueue.ts'
import { eventRoutes } from './routes/events.ts'
import { jobRoutes } from './routes/jobs.ts'
import { metricsRoute } from './routes/metrics.ts'
import { probeRoutes, type Readiness } from './routes/probes.ts'
import { problemRoutes } from './routes/problems.ts'
import { queueRoutes } from './routes/queues.ts'
import { referenceRoutes } from './routes/reference.ts'
import { inOrder, type Step } from './step.ts'
import { type CheckedContext, validate } from './validate.ts'
import { type Waiting, waiting } from './wait-finished.ts'
import { zoneAllowlist } from './zone-allowlist.ts'

export type GatewayDependencies = {
  readonly access: AccessControl
  readonly kinds: readonly JobKind[]
  readonly intake: Intake
  readonly jobs: JobStore
  readonly queues: QueueControl
  readonly audit: AuditLog
  readonly metrics: Metrics
  readonly tracing?: Tracing | undefined
  readonly log: Log
  readonly now: () => Date
  /** Gateways that share a subject's rate limit; at least 1. */
  readonly liveGateways: () => number
  /** Where several processes share the port: the metrics of all of them, as text. */
  readonly readMetrics?: (() => Promise<string>) | undefined
  readonly readiness: () => Readiness | Promise<Readiness>
  /** Routes of other domains (trades, scores), registered and guarded like ours. */
  readonly routes: readonly Route[]
  /** The same for routes that hold requests: their waits end when `closing` aborts. */
  readonly waitingRoutes?: (waits: Waiting, closing: AbortSignal) => readonly Route[]
}

/** What the gateway needs of `Bun.serve`'s server. */
export type Listener = {
  requestIP(request: Request): { readonly address: string } | null
  timeout(request: Request, seconds: number): void
}

export type Gateway = {
  fetch(request: Request, listener: Listener): Promise<Response>
  readonly app: Hono<GatewayEnv>
  readonly routes: readonly Route[]
  /** Ends event streams and waits, so that a listener can stop; then writes what is buffered. */
  close(): Promise<void>
}

export function createGateway(deps: GatewayDependencies): Gateway {
  const closing = new AbortController()
  const refusals = refusalAudit(deps)
  const reads = readAudit(deps)
  const routes = routeTable(deps, closing.signal)
  const app = new Hono<GatewayEnv>({ router: exactFirstRouter() })

  // The outermost, so that every answer has an id, a log line and a metric.
  app.use(observe({ ...deps, reads }))

  const { access } = deps
  registerRoutes(app, routes, {
    access,
    limitRate: rateLimit(access, deps),
    places: admission({ metrics: deps.metrics, clockMs: () => performance.now() }),
  })
  app.notFound((c) => {
    refuseAmbiguous(c)
    return renderProblem(c, new PosternError('route.not_found'))
  })
  app.onError((thrown, c) => answerError(c, asPosternError(c, thrown)))

  async function answerError(c: GatewayContext, error: PosternError): Promise<Response> {
    if (error.code === 'internal') deps.audit.note(failedRecord(c, error, deps.now()))
    if (!isAudited(error)) return answerProblem(c, error)
    try {
      // The record first: a refusal that nobody can look up later did not happen.
      await refusals.record(c, error)
    } catch (cause) {
      return answerProblem(c, new PosternError('audit.unavailable', { cause }))
    }
    return answerProblem(c, error)
  }

  async function fetch(request: Request, listener: Listener): Promise<Response> {
    try {
      return await app.fetch(request, {
        remoteAddress: listener.requestIP(request)?.address,
        setIdleSeconds: (seconds: number) => listener.timeout(request, seconds),
      })
    } catch (thrown) {
      // Hono lets what is not an Error pass its own handler.
      deps.log.error('request.escaped', { error: thrown })
      return plainProblem()
    }
  }

  async function close(): Promise<void> {
    closing.abort()
    reads.flush()
    await refusals.close()
  }

  return { fetch, app, routes, close }
}

/** Each operation behind its steps, and every other method of a known path behind a refusal. */
function registerRoutes(
  app: Hono<GatewayEnv>,
  routes: readonly Route[],
  guards: { readonly access: AccessControl; readonly limitRate: Step; readonly places: Admission },
): void {
  const { access, limitRate } = guards
  for (const route of routes) {
    const places = route.scope === undefined ? undefined : guards.places.route(route)
    const steps = [
      // Before any decision: a request that means two things is refused, not interpreted.
      refuseAmbiguous,
      nameRoute(route.path),
      // The cheapest check first, and the one that needs nothing from the caller.
      zoneAllowlist(access, route.zone),
      // Token before scope, scope before limit: a limit is the subject's, so it has to be known,
      // and a caller who may not ask costs its subject nothing.
      ...(route.scope === undefined
        ? []
        : [authenticate(access), authorize(access, route.scope), limitRate]),
      // Whom there is no place for hears it before its body is read.
      ...(places === undefined || takesNoBody(route) ? [] : [refuseOverload(places)]),
      // Only an admitted caller learns what is wrong with its request.
      validate(route),
    ]
    app.on(route.method, route.path, inOrder(steps, handle(route, places)))
  }
  for (const [path, zone] of new Map(routes.map((route) => [route.path, route.zone]))) {
    const methods = routes.filter((route) => route.path === path).map((route) => route.method)
    app.all(
      path,
      inOrder(
        [refuseAmbiguous, nameRoute(path), zoneAllowlist(access, zone)],
        refuseMethod(methods),
      ),
    )
  }
}

/** In the order of the API page. */
function routeTable(deps: GatewayDependencies, closing: AbortSignal): readonly Route[] {
  const waits = waiting(deps, closing)
  const routes = [
    ...enqueueRoutes(deps, waits),
    batchRoute(deps),
    ...jobRoutes(deps, waits),
    ...eventRoutes(deps, closing),
    ...deps.routes,
    ...(deps.waitingRoutes?.(waits, closing) ?? []),
    ...queueRoutes(deps),
    metricsRoute(deps),
    ...probeRoutes(deps),
    ...problemRoutes(),
    ...referenceRoutes(),
  ]
  return [...routes, openApiRoute(routes)]
}

function nameRoute(path: string): Step {
  const template = templateOf(path)
  return function nameMatchedRoute(c) {
    c.set('routeTemplate', template)
  }
}

/** Or takes it as it comes, without a place of its own. */
function takesNoBody({ body }: Route): boolean {
  return body === undefined || body.isStream === true
}

function refuseOverload(places: RouteAdmission): Step {
  return function refuseOverloaded(c) {
    places.refuseOverload(c.get('principal'))
  }
}

function handle(route: Route, places: RouteAdmission | undefined) {
  const { body } = route
  return function handleRoute(c: CheckedContext): Response | Promise<Response> {
    const params = c.req.valid('param')
    const query = c.req.valid('query')
    if (body === undefined) return work(c, { params, query, body })
    return readAndHandle(c, body, { params, query })
  }

  /** Slow senders hold no place: it is taken once the body is there. */
  function work(c: GatewayContext, input: RouteInput<unknown, unknown, unknown>) {
    if (places === undefined || body?.isStream === true) return route.handle(c, input)
    const place = places.enter(c.get('principal'))
    c.set('work', place)
    try {
      const response = route.handle(c, input)
      if (response instanceof Promise) return response.finally(place.leave)
      place.leave()
      return response
    } catch (error) {
      place.leave()
      throw error
    }
  }

  async function readAndHandle(
    c: GatewayContext,
    declared: BodyDeclaration<unknown>,
    input: { readonly params: unknown; readonly query: unknown },
  ): Promise<Response> {
    return await work(c, { ...input, body: await declared.read(c) })
  }
}

function refuseMethod(methods: readonly string[]) {
  const allow = methods.includes('GET') ? [...methods, 'HEAD'].join(', ') : methods.join(', ')
  return function refuseOtherMethods(c: GatewayContext): never {
    c.header('allow', allow)
    throw new PosternError('route.method_not_allowed', { detail: `Allowed here: ${allow}.` })
  }
}

/** The log line tells what the caller is told; a bug it tells as it was thrown. */
function answerProblem(c: GatewayContext, error: PosternError): Response {
  if (error.code !== 'internal') c.error = error
  return renderProblem(c, error)
}

function isAudited(error: PosternError): boolean {
  return error.status === 401 || error.status === 403 || error.status === 429
}

/** For what went wrong outside every request's context. */
export function plainProblem(): Response {
  const error = new PosternError('internal')
  const problem = problemOf(error, '/', Bun.randomUUIDv7())
  return new Response(JSON.stringify(problem), { status: 500, headers: problemHeaders(error) })
}
