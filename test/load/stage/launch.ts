import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '#test/support/server-process.ts'
import { collectorEnvironment } from '../../../commands/collector.ts'
import type { StageWay } from '../flags.ts'
import { startContainer } from './container.ts'
import { holdCpu } from './hold-cpu.ts'
import { emptyLog } from './stage-log.ts'

const root = join(import.meta.dir, '../../..')

export type Launched = {
  /** Which Postern it is, for the report. */
  readonly way: string
  /** Of the supervisor, whose children are the rest. */
  readonly pid: number
  /** Cores that all its processes share from now on; only where `isHeld` was asked for. */
  limitCpu(cpus: number): Promise<void>
  stop(): Promise<void>
}

export type LaunchOptions = {
  readonly way: StageWay
  readonly environment: Readonly<Record<string, string>>
  /** Mounted into a container where it is, and writable for it. */
  readonly folder: string
  /** Whether its cores will be limited. */
  readonly isHeld: boolean
  readonly say: (line: string) => void
}

/** `postern migrate`, then `postern run`. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { way, say } = options
  if (way === 'container' || way === 'best') {
    const container = await startContainer(options)
    if (container !== undefined) return container
    if (way === 'container') throw new Error('there is no docker that could run the image')
    say('NOT IN A CONTAINER: no docker can run here. The compiled binary runs in its place.')
  }
  return await startProcesses(options, way === 'source' ? source() : await binary(say))
}

type Program = { readonly way: string; readonly command: readonly string[] }

function source(): Program {
  return { way: 'the source', command: [process.execPath, join(root, 'main.ts')] }
}

async function binary(say: (line: string) => void): Promise<Program> {
  say('building the binary')
  const outfile = join(root, 'dist/postern')
  await mkdir(join(root, 'dist'), { recursive: true })
  await runCommand([process.execPath, join(root, 'ci/build.ts'), '--outfile', outfile])
  return { way: 'the compiled binary', command: [outfile] }
}

async function startProcesses(
  { environment, isHeld }: LaunchOptions,
  { way, command }: Program,
): Promise<Launched> {
  const env = { ...collectorEnvironment, PATH: process.env['PATH'] ?? '', ...environment }
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  await runCommand(['env', '-i', ...pairs, ...command, 'migrate'])
  const held = isHeld ? await holdCpu() : undefined
  const log = await emptyLog()
  const child = Bun.spawn([...(held?.prefix ?? []), ...command, 'run'], {
    env,
    stdin: 'ignore',
    stdout: log,
    stderr: log,
  })
  const kill = () => child.kill('SIGKILL')
  // `run` then ends what it started; killed, it would leave its processes behind.
  const end = () => child.kill('SIGTERM')
  process.once('exit', end)
  return {
    way,
    pid: child.pid,
    limitCpu: async (cpus) => await held?.limit(cpus),
    async stop() {
      end()
      const late = setTimeout(kill, 40_000)
      await child.exited
      clearTimeout(late)
      process.off('exit', end)
      await held?.release()
    },
  }
}
