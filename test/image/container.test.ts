// Run by ci/test-image.sh, which builds the image and knows the docker that built it.
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { chmod, chown, copyFile, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { writeFileSecret } from '#core/secret/file-secret-store.ts'
import { certificates } from '#test/support/certificates.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit, runCommand } from '#test/support/server-process.ts'

const image = process.env['IMAGE_UNDER_TEST']
/** The same with a Terraform beside it; empty where none can be had. */
const driftImage = process.env['DRIFT_IMAGE_UNDER_TEST'] ?? ''
const docker = process.env['DOCKER_CLIENT'] ?? 'docker'
const uid = 65_532
const healthyMsMax = 60_000
const drainSeconds = 10

const imageTest = test.if(image !== undefined)

let redis: RedisServer | undefined
let database: PostgresServer | undefined
let settings: string[] = []
let published = ''
const origin = 'postern.example.com/audit'
const { signerKey, verifierKey } = generateSignerKey(origin, 'ed25519')
const containers = new Set<string>()

beforeAll(async () => {
  if (image === undefined) return
  const { good, caFile } = await certificates()
  redis = await startRedis({ tls: { ...good, caFile } })
  database = await startPostgres({ tls: good })
  const folder = await mountedFolder(caFile, { redisUrl: redis.url, databaseUrl: database.url })
  settings = Object.entries({
    POSTERN_ACCESS_FILE: '/etc/postern/access.json',
    POSTERN_DATABASE_URL: 'secret:postern/database#url',
    POSTERN_DATABASE_CA_FILE: '/etc/postern/ca.crt',
    POSTERN_REDIS_URL: 'secret:postern/redis#url',
    POSTERN_REDIS_CA_FILE: '/etc/postern/ca.crt',
    POSTERN_SECRET_STORE: 'file',
    POSTERN_SECRET_FILE: '/etc/postern/secrets',
    POSTERN_SECRET_BOOTSTRAP_FILE: '/etc/postern/key',
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(await freePort()),
    POSTERN_PROBE_PORT: String(await freePort()),
    POSTERN_SEQUENCER_PROBE_PORT: String(await freePort()),
    POSTERN_ROTATOR_PROBE_PORT: String(await freePort()),
    POSTERN_AUDIT_ORIGIN: origin,
    POSTERN_AUDIT_KEYS: 'secret:postern/audit#keys',
    POSTERN_AUDIT_STORE: '/var/lib/postern-audit',
    POSTERN_DRAIN_SECONDS: String(drainSeconds),
  }).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  settings.push('--volume', `${folder}:/etc/postern:ro`)
  published = await writableFolder()
  settings.push('--volume', `${published}:/var/lib/postern-audit`)
  const migrated = await runToEnd([...settings, image, 'migrate'])
  if (migrated.code !== 0) throw new Error(migrated.output)
}, healthyMsMax)

afterEach(async () => {
  for (const name of containers) await call('rm', '--force', name)
  containers.clear()
})

afterAll(async () => {
  await redis?.stop()
  await database?.stop()
})

/** What a deployment mounts: access file, authority, sealed secrets and the key that opens them. */
async function mountedFolder(
  caFile: string,
  urls: { redisUrl: string; databaseUrl: string },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-image-'))
  removeAtExit(folder)
  const keyFile = join(folder, 'key')
  const secretFile = join(folder, 'secrets')
  const key = crypto.getRandomValues(new Uint8Array(32))
  await writeFile(keyFile, key.toBase64({ alphabet: 'base64url', omitPadding: true }))
  await chmod(keyFile, 0o400)
  const store = { keyFile, secretFile }
  await writeFileSecret({ ...store, name: 'postern/redis', members: { url: urls.redisUrl } })
  await writeFileSecret({ ...store, name: 'postern/database', members: { url: urls.databaseUrl } })
  await writeFileSecret({ ...store, name: 'postern/audit', members: { keys: signerKey } })
  await copyFile(caFile, join(folder, 'ca.crt'))
  await writeFile(join(folder, 'access.json'), JSON.stringify(access))
  for (const path of [keyFile, secretFile]) await chown(path, uid, uid)
  await chmod(folder, 0o755)
  return folder
}

/** The one place that the container may write to. */
async function writableFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-image-audit-'))
  removeAtExit(folder)
  await chown(folder, uid, uid)
  return folder
}

const loopback = ['127.0.0.0/8']
const access = {
  zones: { v1: loopback, internal: [], probe: loopback },
  trustedProxies: { header: 'x-forwarded-for', proxies: [] },
  issuers: [],
  limits: { default: { perSecond: 10, burst: 10 } },
  callbackPrefixes: [],
}

async function call(...args: string[]): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([docker, ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, output: (out + err).trim() }
}

const lockedDown = [
  ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  ...['--network', 'host'],
]

async function runToEnd(args: string[]) {
  return await call('run', '--rm', ...lockedDown, ...args)
}

async function start(...command: string[]): Promise<string> {
  const name = `postern-test-${crypto.randomUUID()}`
  containers.add(name)
  const args = ['--detach', '--name', name, ...lockedDown, ...settings, image ?? '', ...command]
  const { code, output } = await call('run', ...args)
  if (code !== 0) throw new Error(output)
  return name
}

async function inspect(name: string, format: string): Promise<string> {
  return (await call('inspect', '--format', format, name)).output
}

/** Asks docker, which asks the image's own HEALTHCHECK. */
async function untilHealthy(name: string): Promise<void> {
  const giveUpAt = performance.now() + healthyMsMax
  while (performance.now() < giveUpAt) {
    const state = await inspect(name, '{{.State.Status}} {{.State.Health.Status}}')
    if (state === 'running healthy') return
    if (!state.startsWith('running')) break
    await Bun.sleep(200)
  }
  const checks = await inspect(name, '{{json .State}}')
  throw new Error(`${checks}\n${(await call('logs', name)).output}`)
}

/** Host pid of a part inside the container. */
async function pidOf(name: string, part: string): Promise<number | undefined> {
  const { output } = await call('top', name, '-eo', 'pid,args')
  const line = output.split('\n').find((text) => text.endsWith(`postern ${part}`))
  return line === undefined ? undefined : Number.parseInt(line, 10)
}

imageTest('it runs as 65532, by exec form, with labels and a health check of its own', async () => {
  const [config] = JSON.parse((await call('inspect', image ?? '')).output)
  const { User, Entrypoint, Cmd, Healthcheck, Labels, Env } = config.Config
  expect(User).toBe('65532:65532')
  expect(Entrypoint).toEqual(['/usr/local/bin/postern'])
  expect(Cmd).toEqual(['run'])
  expect(Healthcheck.Test).toEqual(['CMD', '/usr/local/bin/postern', 'healthcheck'])
  expect(Labels['org.opencontainers.image.revision']).toMatch(/^[0-9a-f]{40}$/)
  expect(Labels['org.opencontainers.image.version']).toMatch(/^\d+\.\d+\.\d+$/)
  expect(Env?.filter((line: string) => /^(?:POSTERN|BUN|LD)_/.test(line))).toEqual([
    'BUN_JSC_useConcurrentGC=0',
    'BUN_JSC_heapGrowthMaxIncrease=1.0',
  ])
})

imageTest('it holds no shell, no other program and no setuid file', async () => {
  const { output: name } = await call('create', image ?? '')
  containers.add(name)
  const listing = await runCommand(['sh', '-c', `"${docker}" export ${name} | tar -tv`])
  const files = listing.split('\n').filter((line) => line.startsWith('-'))
  const programs = files.filter((line) => /s?bin\//.test(line))
  expect(programs.map((line) => line.split(' ').at(-1))).toEqual(['usr/local/bin/postern'])
  expect(files.filter((line) => /^-..s|^-.....s/.test(line))).toEqual([])
  expect((await runToEnd(['--entrypoint', '/bin/sh', image ?? '', '-c', 'true'])).code).toBe(127)
})

imageTest('an unknown command ends with 64', async () => {
  expect((await runToEnd([image ?? '', 'open-sesame'])).code).toBe(64)
})

imageTest.each([
  ['without an access file', ['--env', 'POSTERN_ACCESS_FILE=']],
  ['with a literal credential', ['--env', 'POSTERN_DATABASE_URL=postgres://postern@db/postern']],
  ['with a misspelt setting', ['--env', 'POSTERN_MODUS=production']],
  ['with LD_PRELOAD', ['--env', 'LD_PRELOAD=']],
])('%s run ends with 78', async (_, broken) => {
  expect((await runToEnd([...settings, ...broken, image ?? ''])).code).toBe(78)
})

imageTest('up is refused in production', async () => {
  const production = ['--env', 'POSTERN_MODE=production']
  expect((await runToEnd([...production, image ?? '', 'up'])).code).toBe(78)
})

imageTest.each([[['serve']], [['work']], [['audit', 'sequence']], [[]]])(
  'read-only and without capabilities %j is healthy, and SIGTERM ends it with 0 in time',
  async (command) => {
    const name = await start(...command)
    await untilHealthy(name)
    // Past that time docker kills, which would show as 137.
    await call('stop', '--time', String(drainSeconds + 5), name)
    expect(await inspect(name, '{{.State.ExitCode}}')).toBe('0')
  },
  healthyMsMax + 30_000,
)

imageTest(
  'run starts a killed part again, and the container stays up and gets healthy',
  async () => {
    const name = await start('run')
    await untilHealthy(name)
    const before = await pidOf(name, 'work')
    if (before === undefined) throw new Error('no worker')
    process.kill(before, 'SIGKILL')
    const giveUpAt = performance.now() + healthyMsMax
    let after = await pidOf(name, 'work')
    while ((after === undefined || after === before) && performance.now() < giveUpAt) {
      await Bun.sleep(50)
      after = await pidOf(name, 'work')
    }
    expect(after).toBeGreaterThan(0)
    expect(after).not.toBe(before)
    await untilHealthy(name)
    expect(await inspect(name, '{{.RestartCount}} {{.State.Status}}')).toBe('0 running')
  },
  healthyMsMax * 3,
)

imageTest(
  'what the containers did is in the log, which the image verifies offline',
  async () => {
    const name = await start('run')
    await untilHealthy(name)
    await call('stop', '--time', String(drainSeconds + 5), name)
    const verify = [image ?? '', 'audit', 'verify', '--log', '/log', '--vkey', verifierKey]
    const { code, output } = await runToEnd(['--volume', `${published}:/log:ro`, ...verify])
    expect(output).toMatch(/^size +[1-9]/m)
    expect(code).toBe(0)
  },
  healthyMsMax * 2,
)

/** Something that is configured and was never made. The state is where the container may write. */
const neverApplied = `
terraform {
  backend "local" { path = "/dev/shm/terraform.tfstate" }
}
resource "terraform_data" "this" {
  input = "x"
}
`

test.if(driftImage !== '')(
  'the target drift makes a plan of a workspace it cannot write',
  async () => {
    const workspace = await mkdtemp(join(tmpdir(), 'postern-image-workspace-'))
    removeAtExit(workspace)
    await writeFile(join(workspace, 'main.tf'), neverApplied)
    await chmod(workspace, 0o755)
    const mounted = ['--volume', `${workspace}:/workspace:ro`]
    const source = [...settings, ...mounted, '--env', 'POSTERN_DRIFT_WORKSPACE=/workspace']
    const found = await runToEnd([...source, driftImage])
    expect(found).toMatchObject({ code: 1, output: expect.stringContaining('terraform_data.this') })
    // The default image has no Terraform, and says so at once.
    const without = await runToEnd([
      ...source,
      image ?? '',
      'drift',
      'run',
      '--source',
      'terraform',
    ])
    expect(without).toMatchObject({ code: 78, output: expect.stringContaining('target `drift`') })
  },
  healthyMsMax,
)
