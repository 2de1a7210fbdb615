import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { answering } from './answering.ts'
import { freePort, runCommand, startServer } from './server-process.ts'

const root = join(import.meta.dir, '../..')

/** A way through Toxiproxy to one server. */
export type Way = {
  readonly port: number
  /** No connection stays, and none is taken. */
  cut(): Promise<void>
  /** Each answer takes so many milliseconds longer. */
  delay(ms: number): Promise<void>
  /** Connections stay open and nothing comes through. */
  freeze(): Promise<void>
  /** Connections are reset as soon as they carry anything. */
  reset(): Promise<void>
  /** Leads somewhere else from now on; what is open is cut. */
  lead(toPort: number): Promise<void>
  heal(): Promise<void>
}

export type Ways = {
  to(name: string, port: number): Promise<Way>
  stop(): Promise<void>
}

type Toxic = { readonly type: string; readonly attributes: Readonly<Record<string, number>> }

/** A Toxiproxy of its own; `ci/tools toxiproxy` brings it. */
export async function openWays(): Promise<Ways> {
  const [binary = ''] = (await runCommand(['node', join(root, 'ci/tools.mjs'), 'toxiproxy']))
    .trim()
    .split('\n')
    .filter(existsSync)
  const apiPort = await freePort()
  const server = await startServer({
    command: [binary, '-host', '127.0.0.1', '-port', String(apiPort)],
    ready: /Starting (?:HTTP|Toxiproxy) .*server|listening/i,
  })
  const api = `http://127.0.0.1:${apiPort}`
  // It says that it starts before it listens.
  await answering(`${api}/version`)

  async function ask(method: string, path: string, body?: unknown): Promise<void> {
    const answer = await fetch(`${api}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { 'user-agent': 'postern-test' },
    })
    if (!answer.ok) throw new Error(`toxiproxy ${method} ${path}: ${await answer.text()}`)
  }

  return {
    async to(name, port) {
      const own = await freePort()
      const listen = `127.0.0.1:${own}`
      await ask('POST', '/proxies', { name, listen, upstream: `127.0.0.1:${port}`, enabled: true })
      const path = `/proxies/${name}`
      const add = (toxic: Toxic) =>
        ask('POST', `${path}/toxics`, { ...toxic, name: toxic.type, stream: 'downstream' })
      return {
        port: own,
        cut: () => ask('POST', path, { enabled: false }),
        delay: (ms) => add({ type: 'latency', attributes: { latency: ms, jitter: 0 } }),
        freeze: () => add({ type: 'timeout', attributes: { timeout: 0 } }),
        reset: () => add({ type: 'reset_peer', attributes: { timeout: 0 } }),
        async lead(toPort) {
          await ask('POST', path, { enabled: false })
          await ask('POST', path, { upstream: `127.0.0.1:${toPort}`, enabled: true })
        },
        heal: () => ask('POST', '/reset'),
      }
    },
    stop: () => server.stop('SIGTERM'),
  }
}
