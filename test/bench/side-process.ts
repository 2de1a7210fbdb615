import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { collectorEnvironment } from '../../commands/collector.ts'
import type { Databases } from './databases.ts'

export type SideProcess = {
  readonly pid: number
  /** The last line that the process printed before its end. */
  answer(): Promise<unknown>
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Time for a side to end: a round of a bench with room to spare. */
const roundMsMax = 120_000
const stopMsMax = 10_000

const running = new Set<Subprocess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Each side of a comparison runs in a process of its own, so that neither warms the other up.
 * All are started with the image's
 * setting of the collector. Output is thrown away unless `collect` asks for it.
 */
export function startSide(
  [script = '', ...args]: readonly string[],
  databases: Databases,
  options: { readonly collect?: boolean } = {},
): SideProcess {
  return startProcess([process.execPath, join(import.meta.dir, script), ...args], {
    ...options,
    environment: {
      ...collectorEnvironment,
      POSTERN_MODE: 'development',
      POSTERN_DATABASE_URL: databases.postgresUrl,
      POSTERN_REDIS_URL: databases.redisUrl,
    },
  })
}

export function startProcess(
  command: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>>
    readonly collect?: boolean
    readonly cwd?: string
    /** For a side that is no round. */
    readonly answerMsMax?: number
  } = {},
): SideProcess {
  const child = Bun.spawn([...command], {
    stdin: 'ignore',
    stdout: options.collect === true ? 'pipe' : 'ignore',
    stderr: 'inherit',
    env: { ...process.env, ...options.environment },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  running.add(child)
  void child.exited.then(() => running.delete(child))
  return {
    pid: child.pid,
    async answer() {
      const late = setTimeout(() => child.kill('SIGKILL'), options.answerMsMax ?? roundMsMax)
      const output = await new Response(child.stdout).text()
      clearTimeout(late)
      return JSON.parse(output.trim().split('\n').at(-1) ?? '')
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
      await child.exited
      clearTimeout(late)
    },
  }
}
