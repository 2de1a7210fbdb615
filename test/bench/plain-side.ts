import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { importJWK, jwtVerify } from 'jose'
import postgres from 'postgres'
import { z } from 'zod'
import { benchKind } from './bench-kind.ts'

/**
 * What one would write without Postern. `bare`: each request is one `queue.add` and nothing is
 * kept. `naive`: token and payload are checked, then one transaction stores job, outbox entry and
 * audit record, then `queue.add`.
 *
 *   bun test/bench/plain-side.ts bare|naive <port> <access document as JSON>
 */
const [mode = '', port = '', documentText = ''] = process.argv.slice(2)
const { POSTERN_DATABASE_URL: postgresUrl = '', POSTERN_REDIS_URL: redisUrl = '' } = process.env

const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
const queue = new Queue('bench', {
  connection,
  defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
})

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  development: false,
  fetch: mode === 'naive' ? await naiveHandler() : bareHandler,
})

async function bareHandler(request: Request): Promise<Response> {
  if (request.method !== 'POST') return new Response()
  const job = await queue.add('bench', await request.json())
  return Response.json({ id: job.id }, { status: 202 })
}

async function naiveHandler() {
  const key = z
    .object({ issuers: z.tuple([z.object({ keys: z.unknown(), issuer: z.string() })]) })
    .parse(JSON.parse(documentText)).issuers[0]
  const { jwks } = z
    .object({ jwks: z.object({ keys: z.tuple([z.looseObject({ kty: z.string() })]) }) })
    .parse(key.keys)
  const publicKey = await importJWK(jwks.keys[0], 'EdDSA')
  const sql = postgres(postgresUrl, { max: 16, onnotice: () => undefined })
  const body = z.strictObject({ payload: benchKind.payload })
  const seen = new Map<string, string>()

  async function subjectOf(token: string): Promise<string> {
    const known = seen.get(token)
    if (known !== undefined) return known
    const { payload } = await jwtVerify(token, publicKey, { issuer: key.issuer })
    seen.set(token, payload.sub ?? '')
    return payload.sub ?? ''
  }

  return async (request: Request): Promise<Response> => {
    if (request.method !== 'POST') return new Response()
    const subject = await subjectOf(request.headers.get('authorization')?.slice(7) ?? '')
    const { payload } = body.parse(await request.json())
    const id = Bun.randomUUIDv7()
    const at = new Date()
    const audit = JSON.stringify({ id, type: 'job.accepted', at, subject, outcome: 'ok' })
    await sql.begin((transaction) => [
      transaction`insert into postern_job (id, kind, issuer, subject, payload, priority,
          attempts_max, timeout_ms, request_id, accepted_at)
        values (${id}, 'bench', ${key.issuer}, ${subject}, ${transaction.json(payload)}, 0, 3,
          30000, ${id}, ${at})`,
      transaction`insert into postern_outbox (id, jobs) values (${id}, ${[id]})`,
      transaction`insert into postern_audit_intake (rec, body)
        values (${id}, convert_to(${audit}, 'UTF8'))`,
    ])
    await queue.add('bench', payload, { jobId: id })
    return Response.json({ id, acceptedAt: at }, { status: 202 })
  }
}
