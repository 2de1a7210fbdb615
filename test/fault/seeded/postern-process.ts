import { join } from 'node:path'
import { answering } from '#test/support/answering.ts'
import { childrenOf, wordsOf } from '#test/support/child-processes.ts'
import { freePort } from '#test/support/server-process.ts'

export type PartName = 'serve' | 'work' | 'sequence' | 'rotator'

/** `run`, as the image starts it, and what is under it. */
export type PosternProcess = {
  readonly url: string
  start(): Promise<void>
  /** Of the supervisor; SIGKILL is the end of all, as of process 1 of a container. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number>
  part(name: PartName): Promise<number>
  /** Resolves when it is ready for requests. */
  isBack(): Promise<void>
  /** Another gateway, at a port of its own. */
  another(): Promise<{ readonly url: string; end(): Promise<number> }>
  /** Runs a command to its end. */
  command(args: readonly string[]): Promise<{ readonly code: number; readonly out: string }>
}

export async function posternProcess(options: {
  /** The binary, or Bun and our source. */
  readonly self: readonly string[]
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
}): Promise<PosternProcess> {
  const { self, folder } = options
  const ports = await Promise.all(Array.from({ length: 4 }, () => freePort()))
  const [listen, probe, sequencer, rotator] = ports.map(String)
  const environment = {
    ...options.environment,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: listen ?? '',
    POSTERN_PROBE_PORT: probe ?? '',
    POSTERN_SEQUENCER_PROBE_PORT: sequencer ?? '',
    POSTERN_ROTATOR_PROBE_PORT: rotator ?? '',
  }
  const url = `http://127.0.0.1:${listen}`
  const children = new Set<Bun.Subprocess>()
  let main: Bun.Subprocess | undefined
  let starts = 0
  // `run` then ends what it started; killed, it would leave its processes behind.
  process.once('exit', () => {
    for (const child of children) child.kill('SIGTERM')
  })

  function spawn(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const log = Bun.file(join(folder, `postern-${++starts}.log`))
    const env = { ...environment, ...more }
    const child = Bun.spawn([...self, ...args], { env, stdin: 'ignore', stdout: log, stderr: log })
    children.add(child)
    void child.exited.then(() => children.delete(child))
    return child
  }

  return {
    url,
    async start() {
      main = spawn(['run'])
      await answering(`${url}/readyz`)
    },
    async end(signal) {
      if (main === undefined) return 0
      const parts = await childrenOf(main.pid)
      main.kill(signal)
      const code = await main.exited
      for (const pid of parts) killQuietly(pid)
      main = undefined
      return code
    },
    async part(name) {
      for (const pid of await childrenOf(main?.pid ?? 0)) {
        if ((await wordsOf(pid)).includes(name)) return pid
      }
      throw new Error(`no ${name} is running`)
    },
    isBack: () => answering(`${url}/readyz`),
    async another() {
      const port = await freePort()
      const child = spawn(['serve'], { POSTERN_LISTEN_PORT: String(port) })
      await answering(`http://127.0.0.1:${port}/readyz`)
      return {
        url: `http://127.0.0.1:${port}`,
        async end() {
          child.kill('SIGTERM')
          return await child.exited
        },
      }
    },
    async command(args) {
      const child = Bun.spawn([...self, ...args], {
        ...{ env: environment, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
      })
      const [code, out, err] = await Promise.all([
        child.exited,
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ])
      return { code, out: `${out}${err}` }
    },
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended with the supervisor.
  }
}
