import { expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unquoted } from '../../commands/unquoted.ts'
import { runPostern } from './run-postern.ts'

const password = 'hunter2-of-the-desk'
const url = `postgres://app:${password}@127.0.0.1:1/x`

test.each([
  ["error: unknown option '--password=hunter2!'", ['--password=hunter2!']],
  ["error: unknown command 'hunter2-x'", ['hunter2-x']],
  ["error: option '--days <count>' argument 'hunter2' is invalid", ['--days', 'hunter2']],
  [`error: argument '${url}' is invalid`, [url]],
  ["error: unknown option '--url=it's hunter2'", ["--url=it's hunter2"]],
])('%s is told without the value', (text, argv) => {
  const told = unquoted(text, argv)
  expect(told).not.toContain('hunter2')
  expect(told).toContain('…')
})

test.each([
  ["error: unknown command 'rotat'", ['rotat']],
  ["error: unknown option '--dry-rnu'", ['secrets', 'check', '--dry-rnu']],
  ["error: missing required argument 'name'", ['secrets', 'rotate']],
  ["error: option '--days <count>' argument '0' is invalid", ['--days', '0']],
  ['error: ./keys/nowhere.vkey cannot be read', ['--vkey', './keys/nowhere.vkey']],
])('%s is told as it is', (text, argv) => {
  expect(unquoted(text, argv)).toBe(text)
})

/** In development, with a database that nobody serves. */
async function run(args: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-unquoted-'))
  const settings = {
    POSTERN_MODE: 'development',
    POSTERN_DATABASE_URL: 'postgres://postern@127.0.0.1:1/x',
  }
  const ended = await runPostern(args, { folder, settings })
  await rm(folder, { recursive: true })
  return ended
}

const misplaced: readonly (readonly string[])[] = [
  ['secrets', 'rotate', url],
  ['secrets', 'rollback', url, '--reason', 'r'],
  ['secrets', 'history', url],
  ['secrets', 'revoke', url, '--reason', 'r'],
  ['secrets', 'set-rotation', url, '--kind', 'webhook-key'],
  ['secrets', 'put', url],
  ['revoke', '--secret', url, '--version', '1', '--reason', 'r'],
  ['schedules', 'show', url],
  ['secrets', `--password=${password}`],
  ['secrets', 'set-rotation', 'a', '--kind', 'postgres-role', '--users', 'a,b', '--admin', url],
]

test.each(misplaced.map((args) => [args.slice(0, 2).join(' '), args] as const))(
  'postern %s with a credential is a mistake of use, and quotes none',
  async (_, args) => {
    const { code, out, error } = await run(args)
    expect({ code, out }).toEqual({ code: 64, out: '' })
    expect(error).toStartWith('error: ')
    expect(error).not.toContain('hunter2')
  },
)

test('the version of a secret that is to be revoked is not asked of the program', async () => {
  for (const command of [
    ['revoke', '--secret', 'postern/x'],
    ['secrets', 'revoke', 'postern/x'],
  ]) {
    const { code, out } = await run([...command, '--version', '7', '--reason', 'leaked'])
    expect({ code, out }).toEqual({ code: 1, out: '' })
  }
})

test('a bug in a command is told without the members of its error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bug-'))
  const preload = join(folder, 'bug.ts')
  await writeFile(
    preload,
    `const timer = setInterval(() => {
      if (process.listenerCount('unhandledRejection') === 0) return
      clearInterval(timer)
      const cause = Object.assign(new Error('inner'), { command: { args: ['${password}'] } })
      void Promise.reject(Object.assign(new Error('outer', { cause }), { url: '${url}' }))
    }, 5)`,
  )
  const main = join(import.meta.dir, '../../main.ts')
  // Takes the connection and says nothing: the command waits.
  const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
  const database = `postgres://postern@127.0.0.1:${silent.port}/x`
  const child = Bun.spawn([process.execPath, '--preload', preload, main, 'migrate'], {
    env: {
      ...{ PATH: '/usr/bin:/bin', POSTERN_MODE: 'development' },
      POSTERN_DATABASE_URL: database,
    },
    ...{ stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
  })
  const [code, error] = await Promise.all([child.exited, new Response(child.stderr).text()])
  silent.stop(true)
  await rm(folder, { recursive: true })
  expect(code).toBe(1)
  expect(error).toStartWith('Error: outer')
  expect(error).not.toContain('hunter2')
})
