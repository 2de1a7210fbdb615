import { expect, test } from 'bun:test'
import { z } from 'zod'
import { runCommand } from '#test/support/server-process.ts'

const lineSchema = z.looseObject({ event: z.string(), level: z.string(), time: z.iso.datetime() })

test('lines are JSON, one each, with error causes and without anything secret', async () => {
  const output = await runCommand([process.execPath, `${import.meta.dir}/log-scenario.ts`])
  expect(output).not.toContain('hunter2')
  const lines = output
    .trimEnd()
    .split('\n')
    .map((line) => lineSchema.parse(JSON.parse(line)))
  expect(lines.map((line) => line.event)).toEqual(['one', 'two', 'three', 'four', 'six'])
  expect(lines[0]).toMatchObject({
    level: 'info',
    process: 'test',
    token: '[redacted]',
    nested: { password: '[redacted]', authorization: '[redacted]' },
  })
  expect(lines[1]).toMatchObject({ level: 'warn', requestId: 'r', payload: '[redacted]' })
  expect(lines[2]).toMatchObject({
    error: { name: 'Error', message: 'outer', code: 'X', cause: { message: 'inner' } },
  })
  expect(lines[3]).toMatchObject({ error: { message: 'a thrown text' } })
  expect(lines[4]).toMatchObject({ jobId: 'a\nb"' })
})

test('the last line before the end of the process is written', async () => {
  const script = `
    import { openLog } from '${import.meta.dir}/../../core/log.ts'
    const log = openLog({ level: 'info' })
    log.info('first')
    // In a turn of its own, or a write of the first line could be under way, which no flush waits for.
    setTimeout(() => setTimeout(() => { log.info('last'); log.flush(); process.exit(0) }, 50), 150)`
  const runs = Array.from({ length: 8 }, () => runCommand([process.execPath, '-e', script]))
  for (const output of await Promise.all(runs)) {
    const events = output
      .trimEnd()
      .split('\n')
      .map((line) => lineSchema.parse(JSON.parse(line)).event)
    expect(events).toEqual(['first', 'last'])
  }
})
