import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { bearer, localDocument, localName, testIssuer } from './issuer-world.ts'
import { temporaryFolder, testClock } from './world.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(60_000)

let folder: string
let remove: () => Promise<void>
beforeAll(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
  const issuer = JSON.parse((await call(['token', 'keygen'])).out)
  const document = {
    zones: { v1: ['10.0.0.0/8'], internal: [], probe: [] },
    trustedProxies: {
      header: 'x-forwarded-for',
      proxies: [{ cidrs: ['10.255.0.0/16'], allowPort: false }],
    },
    issuers: [issuer],
    routes: { 'GET /v1/jobs/:id': ['desk:a'] },
    limits: { default: { perSecond: 10, burst: 10 } },
    callbackPrefixes: [],
  }
  await writeFile(join(folder, 'access.json'), JSON.stringify(document))
  await writeFile(join(folder, 'bad.json'), '{"zones":{"v1":["10.0.0.1/8"]}}')
})
afterAll(() => remove())

type Result = { readonly code: number; readonly out: string; readonly err: string }

async function call(
  args: readonly string[],
  options: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Result> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'command-line.ts'), ...args], {
    cwd: folder,
    env: { POSTERN_MODE: 'development', POSTERN_ACCESS_FILE: 'access.json', ...options.env },
    stdin: Buffer.from(options.stdin ?? ''),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, out, err }
}

test.each([
  [['token', 'mint']],
  [['token', 'mint', '--scope', 'a', '--ttl', '25h']],
  [['token', 'mint', '--scope', 'a', '--ttl', '1d']],
  [['access', 'explain']],
  [['access', 'explain', '--ip', '10.0.0.1', '--zone', 'admin']],
  [['access', 'check', 'a', 'b']],
  [['secrets', 'put']],
  [['secrets', 'put', '../x']],
  [['revoke', '--issuer', 'a', '--reason', 'b']],
  [['revoke', '--issuer', 'a', '--reason', 'b', '--jti', 'c', '--kid', 'd']],
  [['revoke', '--jti', 'c', '--reason', 'b']],
])('%p is a usage error: exit 64', async (args) => {
  expect(await call(args)).toMatchObject({ code: 64, out: '' })
})

test('production mints nothing', async () => {
  const env = { POSTERN_MODE: 'production' }
  expect(await call(['token', 'mint', '--scope', 'a'], { env })).toMatchObject({
    code: 78,
    out: '',
  })
})

test('a minted token is verified by the access file that trusts its key', async () => {
  const minted = await call(['token', 'mint', '--scope', 'jobs:read', '--ttl', '15m'])
  const inspected = await call(['token', 'inspect', '--json'], { stdin: minted.out })
  expect(inspected.code).toBe(0)
  expect(JSON.parse(inspected.out)).toMatchObject({ verdict: 'verified', warnings: [] })
})

test('a token for somebody else is refused with its reason, and says so by exit 1', async () => {
  const minted = await call(['token', 'mint', '--scope', 'jobs:read', '--audience', 'other'])
  const inspected = await call(['token', 'inspect'], { stdin: `Bearer ${minted.out}` })
  expect(inspected.code).toBe(1)
  expect(inspected.out).toContain('verdict: token.audience_mismatch')
})

test('what is no token is bad data: exit 65', async () => {
  expect(await call(['token', 'inspect'], { stdin: 'hello' })).toMatchObject({ code: 65, out: '' })
})

test('a token cannot write control characters to the terminal', async () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hostile = `${part({ alg: 'none' })}.${part({ 'a\u001b[2J': '\u009b2J' })}.`
  const { out } = await call(['token', 'inspect', hostile])
  expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  expect(out).toContain('warning: alg is none')
})

test('explain names the hops, the rule and the missing scope', async () => {
  const token = (await call(['token', 'mint', '--scope', 'jobs:read'])).out.trim()
  const caller = ['--ip', '10.255.0.1', '--forwarded-for', '8.8.8.8, 10.2.2.2', '--token', token]
  const admitted = await call(['access', 'explain', ...caller])
  expect(admitted.code).toBe(0)
  expect(admitted.out).toContain('address  admitted by zones.v1 10.0.0.0/8')
  expect(admitted.out).toContain('client   10.2.2.2')
  const lacking = await call(['access', 'explain', ...caller, '--route', 'GET /v1/jobs/:id'])
  expect(lacking.code).toBe(1)
  expect(lacking.out).toContain('missing  desk:a')
  const refused = await call([
    'access',
    'explain',
    '--ip',
    '10.255.0.1',
    '--zone',
    'internal',
    '--json',
  ])
  expect(refused.code).toBe(1)
  expect(JSON.parse(refused.out)).toMatchObject({
    isAdmitted: false,
    address: { reason: 'address.not_in_zone' },
  })
})

test('check prints one line per problem and exits 78', async () => {
  const bad = await call(['access', 'check', 'bad.json'])
  expect(bad.code).toBe(78)
  expect(bad.err.trim().split('\n')).toHaveLength(7)
  expect(bad.err).toContain('access file: zones.v1.0: host bits are set')
  expect(await call(['access', 'check'])).toMatchObject({ code: 0 })
})

test('a secret goes in by standard input and never comes out by list', async () => {
  const env = { POSTERN_SECRET_FILE: 'secrets', POSTERN_SECRET_BOOTSTRAP_FILE: 'key' }
  expect(await call(['secrets', 'keygen'], { env })).toMatchObject({ code: 0 })
  expect(await call(['secrets', 'keygen'], { env })).toMatchObject({ code: 1 })
  const stdin = '{"url":"postgres://u:hunter2@h/d"}'
  expect(await call(['secrets', 'put', 'postern/database'], { env, stdin })).toMatchObject({
    code: 0,
    out: 'postern/database: version 1\n',
  })
  const listed = await call(['secrets', 'stored'], { env })
  expect(listed.out).toBe('secret:postern/database#url  version 1\n')
  expect(await call(['secrets', 'put', 'a'], { env, stdin: '{' })).toMatchObject({ code: 65 })
})

test('the local issuer gets its first keys by a pipe, and a token of it is judged by them', async () => {
  const first = await call(['token', 'issuer-keys'])
  expect(first.code).toBe(0)
  const members = z.record(z.string(), z.string()).parse(JSON.parse(first.out))
  expect(Object.keys(members).sort()).toEqual(['current', 'next'])
  expect((await call(['token', 'issuer-keys'])).out).not.toBe(first.out)
  const store = {
    POSTERN_SECRET_FILE: 'issuer-secrets',
    POSTERN_SECRET_BOOTSTRAP_FILE: 'issuer-key',
  }
  await call(['secrets', 'keygen'], { env: store })
  const put = await call(['secrets', 'put', 'postern/issuer'], { env: store, stdin: first.out })
  expect(put).toMatchObject({ code: 0, out: 'postern/issuer: version 1\n' })
  await writeFile(join(folder, 'local.json'), JSON.stringify(localDocument))
  const authorization = await bearer(await testIssuer(members), testClock(new Date()))
  const env = {
    ...{ ...store, POSTERN_SECRET_STORE: 'file', POSTERN_ACCESS_FILE: 'local.json' },
    ...{ POSTERN_ISSUER: localName, POSTERN_ISSUER_KEYS: 'secret:postern/issuer#current' },
  }
  const judged = await call(['token', 'inspect'], { env, stdin: authorization })
  expect(judged).toMatchObject({ code: 0, out: expect.stringContaining('verdict: verified') })
  const { POSTERN_ISSUER: _, POSTERN_ISSUER_KEYS: __, ...off } = env
  const refused = await call(['token', 'inspect'], { env: off, stdin: authorization })
  expect(refused.code).toBe(78)
  expect(refused.err).toContain('set POSTERN_ISSUER and POSTERN_ISSUER_KEYS')
  const elsewhere = { ...env, POSTERN_ISSUER_KEYS: 'secret:postern/other#current' }
  expect((await call(['token', 'inspect'], { env: elsewhere, stdin: authorization })).code).toBe(1)
})
