import { join } from 'node:path'
import { runCommand } from '#test/support/server-process.ts'
import type { Launched, LaunchOptions } from './launch.ts'
import { emptyLog } from './stage-log.ts'

const uid = '65532'
const containerName = `postern-load-${process.pid}`
/** A first build with its stand-in of a base, on a busy machine. */
const readyMsMax = 600_000

type Docker = {
  readonly image: string
  run(args: readonly string[]): Promise<string>
  /** What the container has said, to the log of the stage. */
  keepLog(name: string): Promise<void>
  close(): Promise<void>
}

/** The image, run as it is deployed: read-only, no capabilities. Undefined where no docker can run. */
export async function startContainer(options: LaunchOptions): Promise<Launched | undefined> {
  const { folder, say } = options
  const docker = await openDocker(say)
  if (docker === undefined) return undefined
  await runCommand(['chown', '-R', uid, folder])
  const name = containerName
  const settings = [
    ...['--network', 'host', '--read-only', '--cap-drop', 'ALL', '--tmpfs', '/tmp'],
    ...['--volume', `${folder}:${folder}`],
    ...Object.entries(options.environment).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
  ]
  try {
    await docker.run(['run', '--rm', ...settings, docker.image, 'migrate'])
    await docker.run(['run', '--detach', '--name', name, ...settings, docker.image, 'run'])
    const pid = Number(await docker.run(['inspect', '--format', '{{.State.Pid}}', name]))
    return {
      way: 'the container',
      pid,
      async limitCpu(cpus) {
        await docker.run(['update', '--cpus', String(cpus), name])
      },
      async stop() {
        await docker.run(['stop', '--time', '40', name])
        await docker.keepLog(name)
        await docker.run(['rm', '--force', name])
        await docker.close()
      },
    }
  } catch (error) {
    await docker.run(['rm', '--force', name]).catch(() => undefined)
    await docker.close()
    throw error
  }
}

async function openDocker(say: (line: string) => void): Promise<Docker | undefined> {
  say('building the image')
  const script = Bun.spawn([join(import.meta.dir, 'container.sh'), containerName], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const close = async () => {
    await script.stdin.end()
    await script.exited
  }
  const late = setTimeout(() => script.kill('SIGTERM'), readyMsMax)
  const line = await firstLine(script.stdout)
  clearTimeout(late)
  const [word, program = '', host = '', image = ''] = line.trim().split(' ')
  if (word !== 'ready') {
    await close()
    return undefined
  }
  const environment = { ...process.env, ...(host === 'default' ? {} : { DOCKER_HOST: host }) }
  return {
    image,
    run: (args) => call([program, ...args], environment),
    async keepLog(name) {
      const log = await emptyLog()
      const outputs = { stdin: 'ignore', stdout: log, stderr: log } as const
      await Bun.spawn([program, 'logs', name], { env: environment, ...outputs }).exited
    },
    close,
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes('\n')) return text
  }
  return text
}

async function call(command: readonly string[], env: Record<string, string | undefined>) {
  const child = Bun.spawn([...command], { env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, out, problems] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if (code !== 0)
    throw new Error(`${command.slice(0, 3).join(' ')} ended with ${code}: ${problems}`)
  return out
}
