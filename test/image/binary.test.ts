import { afterAll, beforeAll, expect, test } from 'bun:test'
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startServer } from '#test/support/server-process.ts'

const root = join(import.meta.dir, '..', '..')
const buildTimeoutMs = 120_000

/** What the distroless base brings; anything else would not start there. */
const libraries = [
  'ld-linux-aarch64.so.1',
  'ld-linux-x86-64.so.2',
  'libc.so.6',
  'libdl.so.2',
  'libm.so.6',
  'libpthread.so.0',
]

/** A folder that is empty but for the binary and what an attacker left beside it. */
let folder = ''
let binary = ''
const trap = () => join(folder, 'sprung')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-binary-'))
  const built = join(folder, 'build', 'postern')
  binary = join(folder, 'postern')
  const build = await run([process.execPath, join(root, 'ci', 'build.ts'), '--outfile', built])
  if (build.code !== 0) throw new Error(build.output)
  await copyFile(built, binary)
  await rm(join(folder, 'build'), { recursive: true })
  await writeFile(
    join(folder, 'trap.ts'),
    `require('node:fs').writeFileSync(${JSON.stringify(trap())}, '')`,
  )
  await writeFile(join(folder, 'bunfig.toml'), 'preload = ["./trap.ts"]\n')
  await writeFile(join(folder, '.env'), 'POSTERN_BOGUS=1\nPOSTERN_MODE=development\n')
}, buildTimeoutMs)

afterAll(() => rm(folder, { recursive: true, force: true }))

/** With nothing but `environment` set, in the folder of the traps. */
async function run(command: string[], environment: Record<string, string> = {}) {
  const child = Bun.spawn(command, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, output: out + err }
}

async function isSprung(): Promise<boolean> {
  const isThere = await Bun.file(trap()).exists()
  await rm(trap(), { force: true })
  return isThere
}

test('a .env beside the binary is not read', async () => {
  // Its first name would be refused before anything else is said.
  const { code, output } = await run([binary, 'serve'])
  expect(output).toContain('POSTERN_ACCESS_FILE: required')
  expect(output).not.toContain('POSTERN_BOGUS')
  expect(code).toBe(78)
})

test('the preload of a bunfig.toml beside the binary does not run', async () => {
  const { code } = await run([binary, '--version'])
  expect(code).toBe(0)
  expect(await isSprung()).toBe(false)
})

test.each(['--preload', '--require', '--import'])(
  'BUN_OPTIONS=%s runs no foreign code and the binary does not start',
  async (option) => {
    const { code } = await run([binary, '--version'], {
      BUN_OPTIONS: `${option}=${join(folder, 'trap.ts')}`,
    })
    expect(code).not.toBe(0)
    expect(await isSprung()).toBe(false)
  },
)

test.each(['BUN_OPTIONS', 'BUN_CONFIG_FILE', 'LD_LIBRARY_PATH', 'NODE_TLS_REJECT_UNAUTHORIZED'])(
  'a production command refuses %s in its environment with 78',
  async (name) => {
    const { code, output } = await run([binary, 'serve'], { [name]: '' })
    expect(output).toContain(`${name}: must not be set`)
    expect(code).toBe(78)
  },
)

// The one way in that no build flag closes. When this fails Bun has closed it: take it out of
// SECURITY.md and out of the names that a deployment must forbid.
test('BUN_BE_BUN still turns the binary into Bun, so a deployment must forbid the name', async () => {
  const { output } = await run([binary, '-e', 'process.stdout.write("I am Bun")'], {
    BUN_BE_BUN: '1',
  })
  expect(output).toBe('I am Bun')
  await rm(trap(), { force: true })
})

test('an unknown command is a usage error, 64', async () => {
  const { code, output } = await run([binary, 'open-sesame'])
  expect(output).toContain("unknown command 'open-sesame'")
  expect(code).toBe(64)
})

test('an unknown setting is a configuration error, 78, and named', async () => {
  const { code, output } = await run([binary, 'run'], { POSTERN_DATABSE_URL: 'x' })
  expect(output).toStartWith('POSTERN_DATABSE_URL: unknown setting')
  expect(code).toBe(78)
})

test('the supervisor hands on the 78 of a child', async () => {
  const { code, output } = await run([binary, 'run'])
  expect(output).toMatch(/^POSTERN_(ACCESS_FILE|DATABASE_URL): required/m)
  expect(code).toBe(78)
})

test('healthcheck fails where nobody listens', async () => {
  const environment = { POSTERN_LISTEN_PORT: '1', POSTERN_PROBE_PORT: '2' }
  const { code, output } = await run([binary, 'healthcheck', 'run'], environment)
  expect(output).toContain('http://127.0.0.1:1/healthz')
  expect(code).toBe(1)
})

test('the version names the commit', async () => {
  const { output } = await run([binary, '--version'])
  expect(output).toMatch(/^\d+\.\d+\.\d+\+[0-9a-f]{7,40}(-dirty)?\n$/)
})

test('every command prints its help', async () => {
  const { output } = await run([binary, '--help'])
  const names = [...output.matchAll(/^ {2}([a-z]+) {2,}\S.*$/gm)].map(([, name = '']) => name)
  expect(names).toEqual(expect.arrayContaining(['up', 'serve', 'work', 'run', 'healthcheck']))
  for (const name of names) {
    const { code, output: help } = await run([binary, name, '--help'])
    expect(help).toStartWith(`NAME\n  postern ${name} - `)
    expect(code).toBe(0)
  }
})

test('alone in its folder it runs everything, is alive, and ends on SIGTERM', async () => {
  const data = join(folder, 'state')
  const port = String(await freePort())
  const server = await startServer({
    command: [binary, 'up', '--port', port, '--data', data],
    ready: /Postern is up/,
    cwd: folder,
  })
  const ask = () => run([binary, 'healthcheck', 'serve'], { POSTERN_LISTEN_PORT: port })
  expect((await ask()).code).toBe(0)
  const page = await (await fetch(`http://127.0.0.1:${port}/internal/console`)).text()
  const [, script = ''] = /src="([^"]+)"/.exec(page) ?? []
  expect(await (await fetch(`http://127.0.0.1:${port}${script}`)).text()).toContain(
    'Postern console',
  )
  await server.stop('SIGTERM')
  expect((await ask()).code).toBe(1)
  expect(await isSprung()).toBe(false)
  await rm(data, { recursive: true })
}, 60_000)

const readelf = Bun.which('readelf')

test.if(readelf !== null)('it needs no library that the distroless base lacks', async () => {
  const { output } = await run([readelf ?? '', '--dynamic', binary])
  const needed = [...output.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name)
  expect(needed).toContain('libc.so.6')
  expect(needed.filter((name) => !libraries.includes(name))).toEqual([])
})

test('nothing was unpacked into the folder or the temporary folder', async () => {
  const empty = join(folder, 'temporary')
  await run(['mkdir', empty])
  await run([binary, 'serve'], { TMPDIR: empty, BUN_TMPDIR: empty })
  expect(await readdir(empty)).toEqual([])
  expect((await readdir(folder)).sort()).toEqual(
    ['.env', 'bunfig.toml', 'postern', 'temporary', 'trap.ts'].sort(),
  )
})
