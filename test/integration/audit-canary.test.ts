import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { runPostern } from '#test/commands/run-postern.ts'
import { swap, wallet } from '#test/score/swaps.ts'
import { findCanaries } from '#test/support/canary-search.ts'
import { openCanaryStage } from './canary-stage.ts'
import { eventually } from './world.ts'

setDefaultTimeout(120_000)

let stage: Awaited<ReturnType<typeof openCanaryStage>>
let hooks: ReturnType<typeof Bun.serve>

beforeAll(async () => {
  stage = await openCanaryStage()
  const fetch = (request: Request) =>
    new Response('', { status: request.url.includes('/refuse') ? 410 : 200 })
  hooks = Bun.serve({ hostname: '127.0.0.1', port: stage.hooks, development: false, fetch })
})
afterAll(async () => {
  await hooks.stop(true)
  await stage[Symbol.asyncDispose]()
})

const job = z.object({ id: z.string() })
const json = { 'content-type': 'application/json' }

function callers(token: string) {
  const bearer = { authorization: `Bearer ${token}` }
  const get = (path: string) => stage.fetchAt(path, { headers: bearer })
  const post = (path: string, body?: unknown, headers: Record<string, string> = json) =>
    stage.fetchAt(path, {
      method: 'POST',
      headers: body === undefined ? bearer : { ...bearer, ...headers },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return { get, post, bearer }
}

test('what goes well tells no secret', async () => {
  const { get, post, bearer } = callers(await stage.token('operator'))
  const hook = `http://127.0.0.1:${stage.hooks}/hook/`
  const payload = { wallet, swaps: [swap()], endDate: '2025-06-01' }
  const paths = ['accept', 'refuse'].map(
    (end) => `${hook}${end}?key=${stage.secret(`callback that ends in ${end}`)}`,
  )
  const ids: string[] = []
  for (const callback of paths) {
    const answer = await post('/v1/jobs/score-wallet?wait=20', { payload, callback })
    ids.push(job.parse(await answer.json()).id)
  }
  await post('/v1/jobs', [{ kind: 'score-wallet', payload }])
  await post('/v1/trades', JSON.stringify({ wallet, ...swap() }), {
    'content-type': 'application/x-ndjson',
  })
  const delayed = job.parse(
    await (await post('/v1/jobs/score-wallet', { payload, delayMs: 3_600_000 })).json(),
  ).id
  await stage.fetchAt(`/v1/jobs/${delayed}`, { method: 'DELETE', headers: bearer })
  await post(`/v1/jobs/${delayed}/retry`)
  for (const act of ['pause', 'resume', 'drain', 'replay']) {
    await post(`/internal/queues/score-cohort/${act}`)
  }
  for (const path of [
    ...['/v1/jobs', '/v1/kinds', '/v1/scores', `/v1/wallets/${wallet}/score`, `/v1/jobs/${ids[0]}`],
    ...['/internal/queues', '/internal/queues/score-wallet/failed', '/internal/metrics'],
    ...['/internal/audit/checkpoint', '/internal/audit/entries?limit=1000', '/readyz', '/healthz'],
    ...['/openapi.json', '/problems', '/problems/internal', '/internal/audit/tile/0/000.p/1'],
  ]) {
    await get(path)
  }
  const receipt = () => get(`/v1/jobs/${ids[0]}/receipt`)
  expect(await eventually(async () => (await receipt()).status === 200)).toBe(true)
  await eventually(async () => {
    const rows = await stage.sql`
      select 1 from postern_job where kind = 'deliver-webhook' and finished_at is not null`
    return rows.length === paths.length
  }, 20_000)
  for (const port of [stage.ports.probe, stage.ports.sequencer]) {
    for (const path of ['/metrics', '/readyz']) {
      // What is published says nothing of the sequencer's probes: those it opens last.
      const told = await eventually(() =>
        fetch(`http://127.0.0.1:${port}${path}`).then(
          (answer) => answer.text(),
          () => undefined,
        ),
      )
      stage.keep(`${port}${path}`, told)
    }
  }
})

test('what is refused tells no secret', async () => {
  const { secret } = stage
  const { get, post } = callers(await stage.token('hostile'))
  await stage.fetchAt('/v1/kinds', { headers: { authorization: `Bearer ${secret('nonsense')}` } })
  await stage.fetchAt('/v1/kinds', { headers: { authorization: `Basic ${secret('basic')}` } })
  await stage.fetchAt('/v1/kinds', {
    headers: { cookie: `session=${secret('cookie')}`, 'x-api-key': secret('api key') },
  })
  const [head, claims] = (await stage.token('forged')).split('.')
  await get('/internal/queues')
  await callers(`${head}.${claims}.${secret('forged-signature')}`).get('/v1/kinds')
  await callers(await stage.token('bare', [])).get('/v1/jobs')
  const limited = callers(await stage.token('limited'))
  for (let count = 0; count < 3; count += 1) await limited.get('/v1/kinds')
  await get(`/v1/jobs?access_token=${secret('query')}`)
  await get(`/v1/jobs?cursor=${secret('cursor')}`)
  await post(`/v1/jobs/score-wallet`, { payload: { wallet: secret('payload'), swaps: [] } })
  await post(`/v1/jobs/score-wallet`, `{"payload": "${secret('torn-body')}`)
  await post('/v1/jobs', [{ kind: 'score-wallet', payload: { wallet: secret('batch') } }])
  await post('/v1/trades', JSON.stringify({ wallet: secret('trade') }), {
    'content-type': 'application/x-ndjson',
  })
  await post('/v1/jobs/score-wallet', {
    payload: { wallet },
    callback: `https://user:${secret('callback-user')}@elsewhere.example/`,
  })
  await post('/v1/jobs/score-wallet', secret('media type'), { 'content-type': 'text/plain' })
})

test('what fails tells no secret', async () => {
  const { secret } = stage
  const { get, post } = callers(await stage.token('unlucky'))
  const payload = { wallet, swaps: [swap()], endDate: '2025-06-01' }
  // A password that is changed under the running processes, and servers that go away.
  const admin = new Redis({ port: stage.redis.port, password: stage.redisPassword })
  await admin.config('SET', 'requirepass', 'other')
  await admin.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
  await post('/v1/jobs/score-wallet', { payload })
  await get('/internal/queues')
  await admin.config('SET', 'requirepass', stage.redisPassword)
  admin.disconnect()
  await stage.server.stop('immediate')
  await post('/v1/jobs/score-wallet', { payload })
  await stage.postern(['doctor'])
  await stage.postern(['revoke', '--issuer', 'https://id.example', '--jti', 'x', '--reason', 'r'])
  await get('/readyz')
  await stage.server.start()
  await eventually(stage.isReady, 30_000)
  for (const args of [
    ['doctor'],
    ['doctor', '--json'],
    ['secrets', 'list'],
    ['secrets', 'stored'],
    ['migrate'],
  ]) {
    await stage.postern(args)
  }
  await stage.postern(['revoke', '--issuer', 'https://id.example', '--jti', 'x', '--reason', 'r'])
  // Literal credentials, each broken in its own way: the refusal must not quote them.
  const broken: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    ['serve', 'database-refused', { POSTERN_DATABASE_URL: 'postgres://u:@@127.0.0.1:1/x' }],
    ['serve', 'database-port', { POSTERN_DATABASE_URL: 'postgres://u:@@127.0.0.1:port/x' }],
    ['serve', 'database-no-url', { POSTERN_DATABASE_URL: '@' }],
    ['work', 'database-query', { POSTERN_DATABASE_URL: 'postgres://127.0.0.1:1/x?password=@' }],
    ['serve', 'redis-refused', { POSTERN_REDIS_URL: 'redis://:@@127.0.0.1:port' }],
    ['serve', 'redis-no-url', { POSTERN_REDIS_URL: '@' }],
    ['serve', 'tls-key', { POSTERN_TLS_KEY: '@' }],
    ['serve', 'tls-certificate', { POSTERN_TLS_CERTIFICATE: '@' }],
    ['audit sequence', 'log-key', { POSTERN_AUDIT_KEYS: 'PRIVATE+KEY+@' }],
    ['audit sequence', 'log-keys', { POSTERN_AUDIT_KEYS: '@' }],
    ['doctor', 'doctor-database', { POSTERN_DATABASE_URL: 'postgres://u:@@127.0.0.1:1/x' }],
    ['doctor', 'doctor-redis', { POSTERN_REDIS_URL: 'redis://:@@127.0.0.1:1' }],
    ['migrate', 'migrate-database', { POSTERN_DATABASE_URL: 'postgres://u:@@127.0.0.1:1/x' }],
    ['serve', 'reference', { POSTERN_DATABASE_URL: 'secret:@' }],
  ]
  await Promise.all(
    broken.map(async ([command, name, changes]) => {
      const value = secret(name)
      // '@@' is the value and the at-sign of a URL behind it.
      const filled = Object.entries(changes).map(([setting, text]) => {
        return [setting, text.replace('@', () => value)]
      })
      const ports = { POSTERN_LISTEN_PORT: '0', POSTERN_PROBE_PORT: '0' }
      const quick = { ...ports, POSTERN_SEQUENCER_PROBE_PORT: '0', ...Object.fromEntries(filled) }
      const { code } = await stage.postern(command.split(' '), quick)
      expect({ name, isRefused: code !== 0 }).toEqual({ name, isRefused: true })
    }),
  )
})

test('no secret stands in any output: logs, metrics, answers, records, tables, keys, files', async () => {
  await stage.stop()
  const { outputs, secrets } = stage
  expect(outputs.length).toBeGreaterThan(70)
  expect(secrets.size).toBeGreaterThan(40)
  const found = findCanaries(outputs, secrets).map(({ name, output }) => `${name} in ${output}`)
  // A caller's own callback is part of its job: it stands in the job's row, its dispatch and its
  // document. The records are looked at by themselves, below.
  const isOwnJob = (line: string) =>
    /^callback that ends in \w+ in (?:Postgres|Redis|(?:GET|POST) \/v1\/jobs\S*)$/.test(line)
  expect(found.filter((line) => !isOwnJob(line))).toEqual([])
  // The search does find what is there.
  expect(found).toContain('callback that ends in accept in Postgres')
  for (const [name, part] of [
    ['Redis', 'score-wallet'],
    ['the published log', '"job.completed"'],
    ['environment and arguments', 'POSTERN_AUDIT_KEYS=secret:log#keys'],
    ['GET /internal/metrics', 'postern_refusals_total'],
  ] as const) {
    expect(outputs.find(([output]) => output === name)?.[1]).toContain(part)
  }
  const logged = outputs.find(([name]) => name === 'standard output')?.[1] ?? ''
  for (const event of ['serve.ready', 'request.finished', 'job.attempt']) {
    expect(logged).toContain(event)
  }
})

test('no record of the log holds a secret, callbacks included', async () => {
  const rows = await stage.sql<{ text: string }[]>`
    select convert_from(body, 'UTF8') as text from postern_audit_entry
    union all select convert_from(body, 'UTF8') from postern_audit_intake`
  const types = new Set(
    rows.map(({ text }) => z.object({ type: z.string() }).parse(JSON.parse(text)).type),
  )
  expect([...types]).toEqual(
    expect.arrayContaining(['secret.read', 'access.refused', 'job.completed', 'job.failed']),
  )
  const text = rows.map((row) => row.text).join('\n')
  expect(findCanaries([['the log', text]], stage.secrets)).toEqual([])
})

test('ASVS 16.4.3: what was published is judged in another place, without server or database', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'postern-elsewhere-'))
  await cp(stage.settings.POSTERN_AUDIT_STORE, join(elsewhere, 'log'), { recursive: true })
  await stage.server.stop('immediate')
  const args = ['audit', 'verify', '--log', 'log', '--vkey', stage.verifierKey, '--strict']
  const { code, out, error } = await runPostern(args, { folder: elsewhere, settings: {} })
  await rm(elsewhere, { recursive: true })
  expect({ code, out, error }).toMatchObject({ code: 0 })
})
