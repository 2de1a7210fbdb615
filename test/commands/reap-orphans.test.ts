import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { orphanedZombies, parseProcessStat } from '../../commands/reap-orphans.ts'

test('a child of ours is never waited for: Bun needs its exit code', () => {
  const processes = [{ pid: 7, parentPid: 1, state: 'Z' }]
  expect(orphanedZombies(processes, 1, new Set([7]))).toEqual([])
})

test.each([
  ['still running', { pid: 8, parentPid: 1, state: 'S' }],
  ["another process's child", { pid: 8, parentPid: 7, state: 'Z' }],
])('a process that is %s is left alone', (_, process) => {
  expect(orphanedZombies([process], 1, new Set())).toEqual([])
})

test('an inherited process that has ended is waited for', () => {
  expect(orphanedZombies([{ pid: 9, parentPid: 1, state: 'Z' }], 1, new Set([7]))).toEqual([9])
})

test('a command name with spaces and parentheses does not shift the fields', () => {
  expect(parseProcessStat('42 (a) Z 1 (b) S 17 42 42 0 -1')).toEqual({
    ...{ pid: 42, parentPid: 17, state: 'S' },
  })
})

const unshare = Bun.which('unshare')
const isRoot = process.getuid?.() === 0

test.if(unshare !== null && isRoot)(
  'as process 1 an orphan is gone soon after its end',
  async () => {
    const script = join(import.meta.dir, 'process-one.ts')
    const child = Bun.spawn(
      [unshare ?? '', '--pid', '--fork', '--mount-proc', process.execPath, script],
      { stdout: 'pipe', stderr: 'inherit' },
    )
    expect(await new Response(child.stdout).text()).toBe('zombie\ngone\n7\n')
    expect(await child.exited).toBe(0)
  },
)
