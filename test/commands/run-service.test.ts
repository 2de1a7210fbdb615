import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { silentLog } from '#core/log.ts'
import { writeKeyFile } from '#test/secret/key-file.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { runService } from '../../commands/run-service.ts'

setDefaultTimeout(120_000)

const origin = 'localhost/postern/audit'
const access = {
  zones: { v1: [], internal: [], probe: [] },
  trustedProxies: { header: 'x-forwarded-for', proxies: [] },
  issuers: [],
  limits: { default: { perSecond: 1, burst: 1 } },
  callbackPrefixes: [],
}

let folder: string
let settings: Readonly<Record<string, string>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-service-'))
  await writeFile(join(folder, 'access.json'), JSON.stringify(access))
  const keyFile = join(folder, 'key')
  await writeKeyFile(keyFile)
  settings = {
    ...{ PATH: '/usr/bin:/bin', POSTERN_MODE: 'development', POSTERN_QUEUE: 'postgres' },
    ...{ POSTERN_ACCESS_FILE: 'access.json', POSTERN_LISTEN_PORT: '0', POSTERN_PROBE_PORT: '0' },
    ...{ POSTERN_SECRET_STORE: 'file', POSTERN_SECRET_FILE: join(folder, 'secrets') },
    POSTERN_SECRET_BOOTSTRAP_FILE: keyFile,
    ...{ POSTERN_AUDIT_ORIGIN: origin, POSTERN_AUDIT_STORE: join(folder, 'audit') },
    POSTERN_AUDIT_KEYS: generateSignerKey(origin, 'ed25519').signerKey,
  }
})
afterAll(() => rm(folder, { recursive: true }))

function start(args: readonly string[], environment: Readonly<Record<string, string>>) {
  return Bun.spawn([...posternCommand, ...args], {
    ...{ cwd: folder, env: { ...settings, ...environment } },
    ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  })
}

test.each(['serve', 'work', 'rotator', 'audit sequence', 'run'])(
  '%s that waits for a database which says nothing ends with 0 at Ctrl-C',
  async (command) => {
    const reached = Promise.withResolvers<void>()
    using silent = Bun.listen({
      ...{ hostname: '127.0.0.1', port: 0 },
      socket: { open: () => reached.resolve(), data: () => undefined },
    })
    const url = `postgres://postern@127.0.0.1:${silent.port}/postern`
    const child = start(command.split(' '), { POSTERN_DATABASE_URL: url })
    await reached.promise
    child.kill('SIGINT')
    const [code, error] = await Promise.all([child.exited, new Response(child.stderr).text()])
    expect({ code, signal: child.signalCode, error }).toEqual({ code: 0, signal: null, error: '' })
  },
)

test('a second signal does not wait for the first', async () => {
  const reached = Promise.withResolvers<void>()
  using silent = Bun.listen({
    ...{ hostname: '127.0.0.1', port: 0 },
    socket: { open: () => reached.resolve(), data: () => undefined },
  })
  const url = `postgres://postern@127.0.0.1:${silent.port}/postern`
  const child = start(['serve'], { POSTERN_DATABASE_URL: url })
  await reached.promise
  child.kill('SIGINT')
  const lines = child.stdout.getReader()
  let said = ''
  while (!said.includes('serve.stopping')) {
    const { value, done } = await lines.read()
    if (done) throw new Error(`it has not said that it stops: ${said}`)
    said += new TextDecoder().decode(value)
  }
  child.kill('SIGINT')
  expect(await child.exited).toBe(1)
})

test('`up` that is stopped while it makes its database starts from there the next time', async () => {
  const data = join(folder, 'up')
  const first = start(['up', '--port', '0', '--data', data], {})
  const told = await first.stderr.getReader().read()
  expect(new TextDecoder().decode(told.value)).toContain('starting')
  first.kill('SIGINT')
  expect(await first.exited).toBe(0)
  const second = start(['up', '--port', '0', '--data', data], {})
  let shown = ''
  let isTold = false
  for await (const bytes of second.stdout) {
    shown += new TextDecoder().decode(bytes)
    if (shown.includes('Postern is up at') && !isTold) second.kill('SIGTERM')
    isTold = shown.includes('Postern is up at')
  }
  expect(await second.exited).toBe(0)
  expect(shown).toContain('Stopping (SIGTERM)')
})

test('what a start has opened when the signal comes is closed, in reverse', async () => {
  const closed: string[] = []
  const signalled = Promise.withResolvers<NodeJS.Signals>()
  await runService(
    { terminated: () => signalled.promise },
    {
      log: silentLog(),
      async start({ stack }) {
        stack.defer(() => void closed.push('first'))
        stack.defer(() => void closed.push('second'))
        signalled.resolve('SIGINT')
        throw await signalled.promise.then(() => new Error('the end of what was closed under it'))
      },
      onSignal: (signal) => void closed.push(signal),
    },
  ).catch((error: unknown) => void closed.push(String(error)))
  expect(closed).toEqual(['SIGINT', 'second', 'first'])
})

test('a start that fails by itself fails the command, with all closed', async () => {
  const closed: string[] = []
  const running = runService(
    { terminated: () => Promise.withResolvers<NodeJS.Signals>().promise },
    {
      log: silentLog(),
      async start({ stack }) {
        stack.defer(() => void closed.push('opened'))
        throw new Error('no')
      },
      onSignal: () => void closed.push('signal'),
    },
  )
  await expect(running).rejects.toThrow('no')
  expect(closed).toEqual(['opened'])
})
