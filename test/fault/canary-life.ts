import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { cloudIds, type Provider } from './canary-providers.ts'
import {
  type CanaryStage,
  cloudUsers,
  redisUsers,
  sharedIssuer,
  until,
  users,
} from './canary-stage.ts'
import { canary } from './canary-store.ts'
import { say, scoreRequests } from './stage.ts'

const jobMs = 400
const swapsEach = 5
const rotationMsMax = 90_000
const cloudTurnsMax = 8

const job = z.object({ id: z.string() })
const rotation = z.object({ step: z.string() })
const minted = z.object({ token: z.string() })

type Asking = Pick<CanaryStage, 'ask' | 'token'>

/** A POST as somebody with every scope, of JSON unless it is a text. */
async function post({ ask, token }: Asking, path: string, body?: unknown, subject = 'operator') {
  const authorization = `Bearer ${await token(subject)}`
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const typed = { 'content-type': 'application/json' }
  const init = body === undefined ? {} : { body: text, headers: { authorization, ...typed } }
  return await ask(path, { method: 'POST', headers: { authorization }, ...init })
}

/** Receives webhooks; what comes in there is its own. */
export function receiveHooks({ hooks }: CanaryStage) {
  let received = 0
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: hooks,
    async fetch(request) {
      await request.arrayBuffer()
      received += 1
      return new Response('', { status: request.url.includes('/refuse') ? 410 : 200 })
    },
  })
  return { count: () => received, stop: () => server.stop(true) }
}

/** Jobs with callbacks, all the while. */
export function startJobs(stage: CanaryStage, seed: number) {
  const next = scoreRequests(seed, swapsEach)
  const ids: string[] = []
  let isOver = false
  async function run(): Promise<void> {
    for (let count = 0; !isOver; count += 1) {
      const end = count % 5 === 0 ? 'refuse' : 'accept'
      const callback = `http://127.0.0.1:${stage.hooks}/hook/${end}`
      const body = { ...z.looseObject({}).parse(JSON.parse(next())), callback }
      const answer = await post(stage, '/v1/jobs/score-wallet', body).catch(() => undefined)
      if (answer?.status === 202) ids.push(job.parse(JSON.parse(answer.text)).id)
      await Bun.sleep(jobMs)
    }
  }
  const running = run()
  return {
    ids,
    async stop() {
      isOver = true
      await running
    },
  }
}

/** The rotator may have been faster by a step: then the command says nothing but that. */
const stepOf = (out: string) => (out === '' ? 'overtaken' : rotation.parse(JSON.parse(out)).step)

const admin = ['--admin', 'secret:postern/rotator#url']

/** Says how each secret is rotated. */
export async function describe({ postern }: CanaryStage, { hook, echoUrl }: Provider) {
  const hookToken = ['--hook-token', 'secret:desk/hook#token', '--grace-seconds', '0']
  const kinds: readonly (readonly [string, ...string[]])[] = [
    ['postern/database', 'postgres-role', '--users', users.join(), ...admin],
    [
      ...(['postern/redis', 'redis-user', '--users', redisUsers.join()] as const),
      ...['--admin', 'secret:postern/redis-admin#url'],
    ],
    ['postern/webhook', 'webhook-key'],
    ['postern/log', 'audit-key', '--member', 'keys'],
    ['postern/issuer', 'issuer-key'],
    ['desk/plain', 'api-key', '--grace-seconds', '1'],
    ['desk/feed', 'api-key', '--hook', hook.url, ...hookToken],
    ['desk/echo', 'api-key', '--hook', echoUrl, ...hookToken],
  ]
  for (const [name, kind, ...more] of kinds) {
    await expectOk(postern(['secrets', 'set-rotation', name, '--kind', kind ?? '', ...more]))
  }
}

async function expectOk(running: ReturnType<CanaryStage['postern']>) {
  const ended = await running
  if (ended.code !== 0) throw new Error(`exit ${ended.code}: ${ended.out}${ended.error}`)
  return ended
}

/** Every kind to its end: the rotator takes what is asked over HTTP, the command line the rest. */
export async function rotateAll(stage: CanaryStage, tally: Map<string, number>): Promise<void> {
  const asked = ['postern/issuer', 'postern/webhook', 'postern/log', 'desk/plain', 'desk/feed']
  const logins = ['postern/database', 'postern/redis']
  for (const name of [...asked, ...logins]) {
    const { status, text } = await post(stage, `/internal/secrets/${name}/rotate`)
    if (status !== 202) throw new Error(`rotate ${name}: ${status} ${text}`)
  }
  for (const name of logins) await ended(stage, `rotation of ${name}`, name)
  say('logins rotated by the rotator')
  for (const name of logins) {
    const { out } = await stage.postern(['secrets', 'rotate', name, '--json'])
    count(tally, `rotated by hand: ${stepOf(out)}`)
  }
}

const count = (tally: Map<string, number>, what: string) =>
  void tally.set(what, (tally.get(what) ?? 0) + 1)

/** No rotation is open, and no revocation under way. */
export async function ended({ sql }: CanaryStage, what: string, of = '%'): Promise<void> {
  await until(
    what,
    async () => {
      const [row] = await sql<{ open: number }[]>`
        select count(*)::integer as open from postern_secret_rotation
        where ended_at is null and name like ${of}`
      return row?.open === 0
    },
    rotationMsMax,
  )
}

/** By the API of a cloud, which is another process's business and not the rotator's. */
export async function rotateInCloud(
  stage: CanaryStage,
  { cloud }: Provider,
  tally: Map<string, number>,
): Promise<void> {
  const secretKey = canary('key of the cloud')
  stage.store.secrets.set('key of the cloud', secretKey)
  const aws = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: secretKey }
  const name = 'desk/cloud'
  const set = ['secrets', 'set-rotation', name, '--kind', 'elasticache-user']
  const ids = ['--users', cloudUsers.join(), '--user-ids', cloudIds.join()]
  await stage.postern([...set, ...ids, '--region', 'eu-central-1', '--endpoint', cloud.url], aws)
  // The rotator has no key of the cloud: it is in the way now and then, and cannot do it.
  let step = ''
  for (let turn = 0; turn < cloudTurnsMax && step !== 'done'; turn += 1) {
    const { out } = await stage.postern(['secrets', 'rotate', name, '--json'], aws)
    step = stepOf(out)
  }
  count(tally, `rotated in a cloud: ${step}`)
}

/** The server lets the next login in nowhere: the rotation is undone. */
export async function rotateRefused(stage: CanaryStage, tally: Map<string, number>): Promise<void> {
  const { sql, setHba, store, postern } = stage
  const version = await store.store.currentVersion('postern/database')
  const { url = '' } = await store.store.read('postern/database', version)
  const next = users.find((user) => user !== new URL(url).username)
  await setHba(next)
  await sql`select pg_reload_conf()`
  const { out } = await postern(['secrets', 'rotate', 'postern/database', '--json'])
  count(tally, `refused by its server: ${stepOf(out)}`)
  await setHba()
  await sql`select pg_reload_conf()`
}

/** A hook that answers with what it was sent, in every manner. */
export async function rotateEchoed(stage: CanaryStage, provider: Provider): Promise<void> {
  for (const status of [200, 500, 302, 403]) {
    provider.echoes(status)
    await stage.postern(['secrets', 'rotate', 'desk/echo'])
  }
  provider.hook.strike({ kind: 'torn' }, { times: 2 })
  await stage.postern(['secrets', 'rotate', 'desk/feed'])
  provider.hook.clear()
  await stage.postern(['secrets', 'rotate', 'desk/feed'])
}

/** Torn, exposed, in the clear by mistake, gone, sealed with another key: while a rotation is open. */
export async function tearStore(stage: CanaryStage): Promise<void> {
  const { store, postern, sql } = stage
  const { secretFile, keyFile } = store.files
  const whole = await readFile(secretFile)
  const [{ url = '' }, key] = await Promise.all([
    store.store.read('postern/owner', '1'),
    readFile(keyFile, 'utf8'),
  ])
  const inTheClear = JSON.stringify({ 'postern/owner': { url } })
  await post(stage, '/internal/secrets/desk/plain/rotate')
  const torn = [whole.subarray(0, whole.length / 2), inTheClear, url, `{"${url}`, key]
  for (const [at, text] of torn.entries()) {
    await writeFile(secretFile, text)
    await postern(at % 2 === 0 ? ['secrets', 'stored'] : ['doctor'])
  }
  await sql`select pg_sleep(1)`
  await writeFile(secretFile, whole)
  for (const wrong of [url, canary('other key'), `${key.trim().slice(1)}x`]) {
    const other = `${keyFile}-other`
    await writeFile(other, `${wrong}\n`, { mode: 0o600 })
    await Promise.all([
      postern(['secrets', 'stored'], { POSTERN_SECRET_FILE: other }),
      postern(['serve'], { POSTERN_SECRET_BOOTSTRAP_FILE: other }),
    ])
    await Bun.file(other).delete()
  }
  await ended(stage, 'the rotation that found its store torn', 'desk/plain')
}

/** Of every class, over HTTP and at a terminal. */
export async function revokeAll(stage: CanaryStage, tally: Map<string, number>): Promise<void> {
  const { store, postern } = stage
  const reason = 'for the proof'
  const webhook = await store.store.currentVersion('postern/webhook')
  const bodies = [
    { class: 'jti', issuer: sharedIssuer, value: 'nobody' },
    { class: 'sub', issuer: sharedIssuer, value: 'somebody-else' },
    { class: 'kid', issuer: 'https://other.example', value: 'key' },
    { class: 'iss', issuer: 'https://other.example' },
    { class: 'secret', value: `postern/webhook@${webhook}` },
    { class: 'credential', value: `postern/redis:${redisUsers[0]}` },
  ]
  for (const body of bodies) {
    for (const subject of ['operator', 'second']) {
      const { status } = await post(stage, '/internal/revocations', { ...body, reason }, subject)
      count(tally, `revocations ${body.class}: ${status}`)
    }
  }
  const { status } = await post(stage, '/internal/secrets/postern/database/revoke', { reason })
  count(tally, `revoked in force: ${status}`)
  await postern(['secrets', 'revoke', 'postern/log', '--reason', reason])
  await postern(['revoke', '--issuer', sharedIssuer, '--jti', 'x', '--reason', reason])
  await settled(stage)
}

async function settled({ sql }: CanaryStage): Promise<void> {
  await until(
    'revocations of secrets',
    async () => {
      const rows = await sql`
        select from postern_revocation
        where class in ('secret', 'credential') and effective_at is null`
      return rows.length === 0
    },
    rotationMsMax,
  )
}

/** Tokens of the local issuer are secrets of their own. */
export async function mintTokens(stage: CanaryStage): Promise<void> {
  for (const ttl of [1, 5]) {
    const body = { subject: 'report', scopes: ['jobs:read'], audience: 'postern', ttl_seconds: ttl }
    const { status, text } = await post(stage, '/internal/tokens', body)
    if (status !== 200) throw new Error(`mint: ${status} ${text}`)
    const [, , signature = ''] = minted.parse(JSON.parse(text)).token.split('.')
    stage.store.secrets.set(`minted token ${ttl}`, signature)
  }
}

/** Servers go away, end sessions and forget a password, under the running processes. */
export async function cutServers({ server, root, store }: CanaryStage): Promise<void> {
  const version = await store.store.currentVersion('postern/redis')
  const { url = '' } = await store.store.read('postern/redis', version)
  const { username, password } = new URL(url)
  const hash = (text: string) => `#${createHash('sha256').update(text).digest('hex')}`
  await root.call('ACL', 'SETUSER', username, 'resetpass', hash('another'))
  await root.call('CLIENT', 'KILL', 'USER', username)
  await Bun.sleep(3_000)
  await root.call('ACL', 'SETUSER', username, 'resetpass', hash(decodeURIComponent(password)))
  await server.stop('immediate')
  await Bun.sleep(1_000)
  await server.start()
  say('servers were cut')
}
