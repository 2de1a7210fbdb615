import { afterAll, setDefaultTimeout } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { scheduleWorldOn } from './schedule-world.ts'
import { tickContract } from './tick-contract.ts'
import { postgresTicksOn } from './tick-worlds.ts'

/** initdb in WebAssembly takes seconds where something else runs. */
setDefaultTimeout(60_000)

const stack = new AsyncDisposableStack()

tickContract('BullMQ on the embedded engine', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-schedule-'))
  stack.defer(() => rm(directory, { recursive: true }))
  const engine = stack.adopt(await openEmbeddedEngine({ directory }), (open) => open.close())
  return postgresTicksOn(await scheduleWorldOn(engine.url, { hasRoles: false, queue: 'postgres' }))
})

afterAll(() => stack.disposeAsync())
