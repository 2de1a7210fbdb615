import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseProcessStat } from '../../commands/reap-orphans.ts'
import { childEnvironment, countEnds, restartDelayMs, supervise } from '../../commands/supervise.ts'
import { silentLog } from '../../core/log.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

type Scripts = { readonly serve: string; readonly work: string }

/** What two scripted children do, and what they have noted. */
function scripted(scripts: Scripts) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-supervise-'))
  folders.push(folder)
  writeFileSync(join(folder, 'serve'), scripts.serve)
  writeFileSync(join(folder, 'work'), scripts.work)
  const linesOf = (part: string) => {
    try {
      // Up to the last line's end: the file is there before what is written into it.
      return readFileSync(join(folder, `${part}.log`), 'utf8')
        .split('\n')
        .slice(0, -1)
    } catch {
      return []
    }
  }
  const until = async (part: string, count: number) => {
    const giveUpAt = performance.now() + 10_000
    while (linesOf(part).length < count) {
      if (performance.now() > giveUpAt) throw new Error(`${part}: ${linesOf(part).join('\n')}`)
      await Bun.sleep(10)
    }
    return linesOf(part)
  }
  const environment = { POSTERN_DATA_DIRECTORY: folder, PATH: process.env['PATH'] }
  return { environment, linesOf, until }
}

/** A supervisor over two scripted children; `terminate` is the signal that it waits for. */
function start(scripts: Scripts, drainMs = 5_000) {
  const { environment, linesOf, until } = scripted(scripts)
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  const code = supervise({
    parts: ['serve', 'work'],
    self: [process.execPath, join(import.meta.dir, 'scripted-child.ts')],
    environment: { ...environment, LD_PRELOAD: '' },
    drainMs,
    log: silentLog(),
    terminated: () => promise,
  })
  return { code, until, linesOf, terminate: () => resolve('SIGTERM') }
}

function pidOf(line: string | undefined): number {
  return Number(line?.split(' ')[1])
}

async function ended(pid: number): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (isRunning(pid)) {
    if (performance.now() > giveUpAt) throw new Error(`${pid} is still running`)
    await Bun.sleep(10)
  }
}

/** One that nobody waits for is still there when it has ended. */
function isRunning(pid: number): boolean {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).state !== 'Z'
  } catch {
    return false
  }
}

test('a child that refuses its configuration ends the whole with 78 and takes the other along', async () => {
  const { code, linesOf } = start({ serve: 'exit 78', work: 'drain' })
  expect(await code).toBe(78)
  expect(linesOf('serve')).toHaveLength(1)
})

test('SIGTERM reaches every child once and a clean drain ends with 0', async () => {
  const { code, until, linesOf, terminate } = start({ serve: 'drain', work: 'drain' })
  await Promise.all([until('serve', 1), until('work', 1)])
  terminate()
  expect(await code).toBe(0)
  expect(linesOf('serve').slice(1)).toEqual(['SIGTERM'])
  expect(linesOf('work').slice(1)).toEqual(['SIGTERM'])
})

test('a child that fails while draining makes the supervisor fail', async () => {
  const { code, until, terminate } = start({ serve: 'drain', work: 'drain badly' })
  await Promise.all([until('serve', 1), until('work', 1)])
  terminate()
  expect(await code).toBe(1)
})

test('a child that outlives the drain time is killed', async () => {
  const { code, until, terminate } = start({ serve: 'drain', work: 'ignore' }, 1)
  await Promise.all([until('serve', 1), until('work', 1)])
  terminate()
  expect(await code).toBe(1)
})

test('a child that ends or is killed is started again and the other never notices', async () => {
  const { code, until, linesOf, terminate } = start({ serve: 'drain', work: 'drain' })
  const [first] = await until('work', 1)
  await until('serve', 1)
  process.kill(pidOf(first), 'SIGKILL')
  const restarted = await until('work', 2)
  expect(pidOf(restarted[1])).not.toBe(pidOf(first))
  terminate()
  expect(await code).toBe(0)
  expect(linesOf('serve')).toHaveLength(2)
})

test('children of a supervisor that was killed drain and end', async () => {
  const { environment: env, until, linesOf } = scripted({ serve: 'drain', work: 'drain' })
  const command = [process.execPath, join(import.meta.dir, 'scripted-supervisor.ts')]
  const supervisor = Bun.spawn(command, { env, stdio: ['ignore', 'inherit', 'inherit'] })
  const pids = [await until('serve', 1), await until('work', 1)].map(([line]) => pidOf(line))
  supervisor.kill('SIGKILL')
  await until('serve', 2)
  await until('work', 2)
  expect(linesOf('serve').slice(1)).toEqual(['SIGTERM'])
  expect(linesOf('work').slice(1)).toEqual(['SIGTERM'])
  for (const pid of pids) await ended(pid)
})

test('a child that fails at every start is started again and again', async () => {
  const { code, until, terminate } = start({ serve: 'drain', work: 'exit 1' })
  expect(await until('work', 3)).toHaveLength(3)
  terminate()
  await code
})

test('a child gets settings and no other name of the environment', async () => {
  const { code, until, terminate } = start({ serve: 'drain', work: 'drain' })
  const [[line]] = await Promise.all([until('serve', 1), until('work', 1)])
  expect(line?.split(' ')[2]?.split(',')).toEqual([
    'BUN_JSC_heapGrowthMaxIncrease',
    'BUN_JSC_useConcurrentGC',
    'PATH',
    'POSTERN_DATA_DIRECTORY',
  ])
  terminate()
  expect(await code).toBe(0)
})

test('a child finds the role of its task or pod, as its parent does', () => {
  const names = ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_WEB_IDENTITY_TOKEN_FILE']
  const environment = Object.fromEntries(names.map((name) => [name, '/x']))
  expect(childEnvironment(environment)).toMatchObject(environment)
})

test.each([
  ...['LD_PRELOAD', 'BUN_BE_BUN', 'NODE_TLS_REJECT_UNAUTHORIZED', 'PGPASSWORD'],
  ...['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
])('%s is not handed to a child', (name) => {
  expect(childEnvironment({ [name]: 'x', POSTERN_MODE: 'production' })).toEqual({
    BUN_JSC_useConcurrentGC: '0',
    BUN_JSC_heapGrowthMaxIncrease: '1.0',
    POSTERN_MODE: 'production',
  })
})

test('the wait before a restart doubles from 250 ms and stops at 10 s', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 2_000].map(restartDelayMs)
  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000])
})

test('a child that was healthy for 60 s starts a new count', () => {
  expect(countEnds(5, 59_999)).toBe(6)
  expect(countEnds(5, 60_000)).toBe(1)
})
