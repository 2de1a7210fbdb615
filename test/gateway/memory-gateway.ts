import { z } from 'zod'
import type { AccessControl } from '#core/access/access-control.ts'
import type { Principal } from '#core/access/principal.ts'
import type { AuditRecord } from '#core/audit/record.ts'
import { PosternError } from '#core/errors.ts'
import { defineJobKind } from '#core/job/kind.ts'
import { type Log, type LogFields, silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { createGateway, type GatewayDependencies } from '#gateway/app.ts'
import { memoryJobs } from './memory-jobs.ts'

export const insideAddress = '10.0.0.7'
export const outsideAddress = '192.0.2.1'

const scoreWallet = defineJobKind({
  name: 'score-wallet',
  scope: 'jobs:write:scoring',
  summary: 'Score a wallet',
  payload: z.strictObject({ wallet: z.string().min(1), note: z.string().optional() }),
  result: z.strictObject({ score: z.string() }),
  example: { wallet: 'w-1' },
  attemptsMax: 5,
  backoff: { firstMs: 100, capMs: 1_000 },
  timeoutMs: 60_000,
  retentionDays: 7,
  priority: 10,
  concurrency: 1,
})

/** Only Postern itself enqueues this one. */
const inner = defineJobKind({ ...scoreWallet, name: 'deliver-webhook', scope: undefined })

const scopesOf: Readonly<Record<string, readonly string[]>> = {
  all: [
    'jobs:read',
    'jobs:cancel',
    'jobs:retry',
    'jobs:write:scoring',
    'jobs:write:batch',
    'queues:read',
    'queues:admin',
    'metrics:read',
    'trades:write',
    'scores:read',
    'audit:read',
    ...['orders:read', 'orders:write', 'market:read', 'market:write'],
    ...['trading:read', 'trading:admin', 'trading:halt', 'trading:rearm', 'tokens:mint'],
    ...['secrets:read', 'secrets:write', 'revocations:read', 'revocations:write'],
    ...['trading:read', 'trading:admin', 'trading:halt', 'trading:rearm', 'secrets:read'],
    ...['schedules:read', 'schedules:write', 'drift:read', 'incidents:read'],
  ],
  none: [],
  operator: ['secrets:write', 'revocations:write'],
  other: ['jobs:read', 'jobs:cancel', 'jobs:retry'],
  any: ['jobs:read', 'jobs:read:any'],
  batch: ['jobs:write:batch'],
}

function principal(subject: string): Principal | undefined {
  const scopes = scopesOf[subject]
  if (scopes === undefined) return undefined
  const issuer = 'https://issuer.example'
  return {
    issuer,
    subject,
    tokenId: `${subject}-1`,
    keyId: 'k1',
    scopes: new Set(scopes),
    expiresAt: 2e9,
  }
}

/** Tokens are `Bearer <subject>`; the address 10.0.0.7 is inside every zone, no other is. */
function scriptedAccess(requests: number): AccessControl & { revoke(subject: string): void } {
  const principals = new Map(
    Object.keys(scopesOf).map((name) => [`Bearer ${name}`, principal(name)]),
  )
  const denials = new Set<() => Promise<void>>()
  return {
    admit(_zone, remoteAddress, _forwardedFor) {
      const clientAddress = remoteAddress ?? 'unknown'
      if (clientAddress === insideAddress || clientAddress === '127.0.0.1') {
        return { admitted: true, clientAddress, rule: '10.0.0.0/24' }
      }
      return { admitted: false, clientAddress, reason: 'address.outside_zone' }
    },
    forwardedHeader: 'x-forwarded-for',
    authenticate(authorization) {
      const known = principals.get(authorization ?? '')
      if (known !== undefined) return known
      const reason = authorization === 'Bearer expired' ? 'token.expired' : 'token.malformed'
      throw new PosternError('auth.token_rejected', { reason })
    },
    limitFor: () => ({ perSecond: 0.001, burst: requests }),
    scopesFor: () => [],
    onDenial(listener) {
      denials.add(listener)
      return () => void denials.delete(listener)
    },
    callbackPrefixes: ['https://hooks.example/postern'],
    notReady: () => undefined,
    revoke(subject) {
      principals.delete(`Bearer ${subject}`)
      for (const tell of denials) void tell()
    },
  }
}

export type GatewayOptions = {
  /** Requests a subject may make. */
  readonly requests?: number
  readonly overrides?: Partial<GatewayDependencies>
}

export function memoryGateway({ requests = 10_000, overrides }: GatewayOptions = {}) {
  const world = memoryJobs()
  const access = scriptedAccess(requests)
  const records: AuditRecord[] = []
  const lines: { readonly event: string; readonly fields: LogFields }[] = []
  let auditOutage: PosternError | undefined
  const keepLine = (event: string, fields: LogFields = {}) => void lines.push({ event, fields })
  const log: Log = { ...silentLog(), info: keepLine, error: keepLine }
  const gateway = createGateway({
    access,
    kinds: [scoreWallet, inner],
    intake: world.intake,
    jobs: world.jobs,
    queues: world.queues,
    audit: {
      async append(record) {
        if (auditOutage !== undefined) throw auditOutage
        records.push(record)
      },
      note: (record) => void records.push(record),
      flush: () => Promise.resolve(),
    },
    metrics: createMetrics(),
    log,
    now: () => new Date(),
    liveGateways: () => 1,
    readiness: () => ({ ready: true, checks: { database: { ok: true } } }),
    routes: [],
    ...overrides,
  })

  /** One request from `address`, with the token of `as`. */
  function request(
    path: string,
    init: RequestInit & { readonly as?: string | undefined; readonly address?: string } = {},
  ): Promise<Response> {
    const { as = 'all', address = insideAddress, ...rest } = init
    const headers = new Headers(rest.headers)
    if (as !== '' && !headers.has('authorization')) headers.set('authorization', `Bearer ${as}`)
    return gateway.fetch(new Request(`http://gateway.example${path}`, { ...rest, headers }), {
      requestIP: () => ({ address }),
      timeout: () => undefined,
    })
  }

  function post(path: string, body: unknown, init: Parameters<typeof request>[1] = {}) {
    const headers = new Headers(init.headers)
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return request(path, { ...init, method: 'POST', headers, body: text })
  }

  return {
    ...world,
    gateway,
    access,
    records,
    lines,
    request,
    post,
    failAuditWith(error: PosternError | undefined): void {
      auditOutage = error
    },
  }
}

const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  instance: z.string().optional(),
  requestId: z.string().optional(),
  errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
})

/** The problem document of an answer; fails when the answer is anything else. */
export async function problemIn(response: Response): Promise<z.infer<typeof problem>> {
  const type = response.headers.get('content-type')
  if (type !== 'application/problem+json') throw new Error(`not a problem: ${type}`)
  const parsed = problem.parse(await response.json())
  if (parsed.status !== response.status) throw new Error('status and body differ')
  return parsed
}

const receipt = z.object({ id: z.string(), kind: z.string(), acceptedAt: z.string() })

export async function receiptIn(response: Response): Promise<z.infer<typeof receipt>> {
  return receipt.parse(await response.json())
}
