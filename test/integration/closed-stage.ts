import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { z } from 'zod'
import {
  developmentAccess,
  developmentAudience,
  loadOrCreateDevelopmentKey,
  mintDevelopmentToken,
} from '#core/access/development-issuer.ts'
import { runPostern } from '#test/commands/run-postern.ts'
import { swap, wallet } from '#test/score/swaps.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit } from '#test/support/server-process.ts'
import { eventually } from './world.ts'

const scopes = [
  ...['jobs:write:scoring', 'jobs:write:batch', 'jobs:read', 'jobs:cancel', 'jobs:retry'],
  ...['trades:write', 'queues:admin', 'audit:read'],
]
const problem = z.object({ code: z.string() })
const receipt = z.object({ id: z.string() })

export type Asked = {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly lines?: readonly string[]
  readonly as?: 'operator' | 'bare' | 'limited' | 'nobody'
  /** As the trusted proxy names it. */
  readonly from?: string
}

export type Answered = {
  readonly status: number
  readonly code: string | undefined
  readonly retryAfter: string | null
  readonly ms: number
}

/** The real `serve` on servers of its own, behind a proxy that names its callers' addresses. */
export async function openClosedStage() {
  const folder = await mkdtemp(join(tmpdir(), 'postern-closed-'))
  removeAtExit(folder)
  const [server, redis] = await Promise.all([startPostgres(), startRedis()])
  const { tokens, accessFile } = await writeAccess(folder)
  const port = await freePort()
  const settings = {
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'silent',
    POSTERN_DATABASE_URL: server.url,
    POSTERN_REDIS_URL: redis.url,
    POSTERN_ACCESS_FILE: accessFile,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(port),
    POSTERN_AUDIT_STORE: join(folder, 'audit'),
  }
  const postern = (...args: readonly string[]) => runPostern(args, { folder, settings })
  await postern('migrate')
  const child = Bun.spawn([...posternCommand, 'serve'], {
    env: { PATH: '/usr/bin:/bin', ...settings },
    stdout: 'inherit',
    stderr: 'inherit',
  })
  const url = `http://127.0.0.1:${port}`
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )
  await eventually(isReady, 20_000)
  const sql = postgres(server.url, { max: 2, onnotice: () => undefined, backoff: () => 0.1 })

  async function fetchAs(asked: Asked): Promise<Response> {
    const { method = 'POST', path, as = 'operator', from = '127.0.0.1' } = asked
    const token = tokens[as]
    const content = contentOf(asked)
    return await fetch(`${url}${path}`, {
      method,
      headers: {
        'x-forwarded-for': from,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(content === undefined ? {} : { 'content-type': content.type }),
      },
      ...(content === undefined ? {} : { body: content.text }),
      signal: AbortSignal.timeout(15_000),
    })
  }

  async function ask(asked: Asked): Promise<Answered> {
    const startedAt = performance.now()
    const answer = await fetchAs(asked)
    const isProblem = answer.headers.get('content-type') === 'application/problem+json'
    const code = isProblem ? problem.parse(await answer.json()).code : undefined
    if (!isProblem) await answer.arrayBuffer()
    const retryAfter = answer.headers.get('retry-after')
    return { status: answer.status, code, retryAfter, ms: performance.now() - startedAt }
  }

  /** A job that waits for workers, of which there are none. */
  async function enqueue(): Promise<string> {
    const path = '/v1/jobs/score-wallet'
    const answer = await fetchAs({ path, body: scoreRequest() })
    return receipt.parse(await answer.json()).id
  }

  return {
    ...{ server, sql, postern, isReady, ask, enqueue },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
      await sql.end({ timeout: 1 })
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

export type ClosedStage = Awaited<ReturnType<typeof openClosedStage>>

function contentOf({ body, lines }: Asked) {
  if (lines !== undefined) return { type: 'application/x-ndjson', text: lines.join('\n') }
  return body === undefined ? undefined : { type: 'application/json', text: JSON.stringify(body) }
}

export function scoreRequest() {
  return { payload: { wallet, swaps: [swap()], endDate: '2025-06-01' } }
}

export const tradeLine = () => JSON.stringify({ wallet, ...swap() })

async function writeAccess(folder: string) {
  const key = await loadOrCreateDevelopmentKey(folder)
  const audience = developmentAudience
  const mint = (subject: string, granted: readonly string[]) =>
    mintDevelopmentToken({
      ...{ key, audience, subject, scopes: granted, ttlSeconds: 3_600, now: new Date() },
    })
  const access = developmentAccess({ key, audience, scopes, callbackPrefixes: [] })
  const within = ['127.0.0.0/8', '10.0.0.0/8']
  const [{ issuer = '' } = {}] = access.issuers
  const limited = { issuer, subject: 'limited', perSecond: 0.001, burst: 1 }
  const accessFile = join(folder, 'access.json')
  const document = {
    ...access,
    zones: { v1: within, internal: within, probe: within },
    trustedProxies: {
      header: 'x-forwarded-for',
      proxies: [{ cidrs: ['127.0.0.0/8'], allowPort: false }],
    },
    limits: { ...access.limits, subjects: [limited] },
  }
  await writeFile(accessFile, JSON.stringify(document))
  const tokens: Readonly<Record<NonNullable<Asked['as']>, string | undefined>> = {
    operator: await mint('operator', scopes),
    bare: await mint('bare', []),
    limited: await mint('limited', scopes),
    nobody: undefined,
  }
  return { tokens, accessFile }
}
