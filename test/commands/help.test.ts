import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settingNames } from '#core/settings/setting-groups.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts processes, half a second each where nothing else runs. */
setDefaultTimeout(30_000)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-help-'))
})
afterAll(() => rm(folder, { recursive: true }))

const postern = (...args: readonly string[]) => runPostern(args, { folder, settings: {} })

test.each([
  ['serv', 'serve'],
  ['shcedules', 'schedules'],
  ['secrets rotaet', 'rotate'],
  ['doctor --jsno', '--json'],
  ['help shcedules', 'schedules'],
  ['help setings', 'settings'],
  ['help settings POSTERN_DATABSE_URL', 'POSTERN_DATABASE_URL'],
])('`postern %s` is a mistake of use that names %s', async (line, meant) => {
  const { code, out, error } = await postern(...line.split(' '))
  expect({ code, out }).toEqual({ code: 64, out: '' })
  expect(error).toContain(`(Did you mean ${meant}?)`)
})

test.each([
  'hunter2-of-the-desk',
  'secrets hunter2-of-the-desk',
  'help settings hunter2-of-the-desk',
])('`postern %s` is told without what was typed, should it be a credential', async (line) => {
  const { code, error } = await postern(...line.split(' '))
  expect(code).toBe(64)
  expect(error).not.toContain('hunter2')
})

test('help of a command is its page, at each depth', async () => {
  const [asked, given] = await Promise.all([
    postern('help', 'secrets', 'rotate'),
    postern('secrets', 'rotate', '--help'),
  ])
  expect(asked).toEqual(given)
  expect(asked).toMatchObject({ code: 0, error: '' })
  expect(asked.out).toStartWith('NAME\n  postern secrets rotate - ')
})

test('help settings tells of each setting with its default, a group, or one', async () => {
  const all = await postern('help', 'settings')
  expect(all).toMatchObject({ code: 0, error: '' })
  const names = all.out.match(/^ {2}POSTERN_\w+/gm)?.map((name) => name.trim())
  expect(names?.toSorted()).toEqual(settingNames.toSorted())
  expect(all.out).toContain('  POSTERN_DRAIN_SECONDS  (25)\n')
  const group = await postern('help', 'settings', 'drift')
  expect(group.out.match(/^ {2}POSTERN_\w+/gm)).toHaveLength(6)
  const one = await postern('help', 'settings', 'POSTERN_QUEUE')
  expect(one.out).toBe(
    'ENGINES\n  POSTERN_QUEUE  (redis)\n      `postgres`: BullMQ on the database, no Redis\n',
  )
})

test('an unknown setting names the one that was meant', async () => {
  const settings = { POSTERN_DATABSE_URL: 'postgres://app:hunter2@db/x' }
  const { code, error } = await runPostern(['access', 'check', 'x'], { folder, settings })
  expect(code).toBe(78)
  expect(error).toBe('POSTERN_DATABSE_URL: unknown setting; did you mean POSTERN_DATABASE_URL?\n')
})

test('without a command the first page goes to standard error, with 64', async () => {
  const { code, out, error } = await postern()
  expect({ code, out }).toEqual({ code: 64, out: '' })
  expect(error).toStartWith('NAME\n  postern - ')
})

test('on a terminal it is bold and as wide; with NO_COLOR it is plain', async () => {
  const shown = async (columns: number, environment: Record<string, string>) => {
    let text = ''
    const child = Bun.spawn([...posternCommand, '--help'], {
      env: { PATH: '/usr/bin:/bin', TERM: 'xterm-256color', ...environment },
      terminal: {
        cols: columns,
        rows: 50,
        data: (_terminal, bytes) => {
          text += new TextDecoder().decode(bytes)
        },
      },
    })
    await child.exited
    child.terminal?.close()
    return text.replaceAll('\r\n', '\n')
  }
  const wide = await shown(100, {})
  expect(wide).toStartWith('\u001b[1mNAME\u001b[22m\n')
  expect(Math.max(...wide.split('\n').map((line) => line.length))).toBeGreaterThan(80)
  const narrow = await shown(60, { NO_COLOR: '1' })
  expect(narrow).not.toContain('\u001b[1m')
  expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(62)
})
