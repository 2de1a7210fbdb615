import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort, removeAtExit, startServer } from './server-process.ts'

export type RedisServer = {
  readonly url: string
  readonly port: number
  stop(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** On the same port; keeps the data only with `persistence`. */
  start(): Promise<void>
  flushAll(): Promise<void>
  /** Freezes the server: sockets stay open and nobody answers. */
  pause(): void
  resume(): void
}

export type RedisServerOptions = {
  /** Append-only file, one fsync per write. */
  readonly persistence?: boolean
  readonly tls?: {
    readonly certificateFile: string
    readonly keyFile: string
    readonly caFile: string
  }
  readonly port?: number
  /** Extra command line arguments, such as `--maxmemory-policy allkeys-lru`. */
  readonly args?: readonly string[]
}

/** A real server on a free loopback port, gone when the test process ends. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = Bun.which('redis-server')
  if (binary === null) {
    throw new Error(
      'redis-server 6.2 or newer is needed: install it (Debian: apt-get install redis-server; ' +
        'macOS: brew install redis) or put it on PATH',
    )
  }
  const directory = await mkdtemp(join(tmpdir(), 'postern-redis-'))
  removeAtExit(directory)
  const port = options.port ?? (await freePort())
  const command = [binary, '--bind', '127.0.0.1', '--dir', directory, ...listen(port, options)]
  const launch = () => startServer({ command, ready: /Ready to accept connections/ })
  let server: Awaited<ReturnType<typeof launch>> | undefined = await launch()
  const scheme = options.tls === undefined ? 'redis' : 'rediss'
  const url = `${scheme}://127.0.0.1:${port}`
  return {
    url,
    port,
    async stop(how = 'SIGTERM') {
      await server?.stop(how)
      server = undefined
    },
    async start() {
      server ??= await launch()
    },
    async flushAll() {
      const admin = new Redis(url, {
        ...(options.tls === undefined ? {} : { tls: { rejectUnauthorized: false } }),
      })
      await admin.flushall()
      admin.disconnect()
    },
    pause: () => server?.signal('SIGSTOP'),
    resume: () => server?.signal('SIGCONT'),
  }
}

function listen(port: number, { persistence, tls, args }: RedisServerOptions): string[] {
  const durability = persistence === true ? ['yes', '--appendfsync', 'always'] : ['no']
  const ports =
    tls === undefined
      ? ['--port', String(port)]
      : [
          ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
          ...['--tls-cert-file', tls.certificateFile, '--tls-key-file', tls.keyFile],
          ...['--tls-ca-cert-file', tls.caFile],
        ]
  return [
    ...ports,
    ...['--save', '', '--appendonly', ...durability],
    ...['--maxmemory-policy', 'noeviction', ...(args ?? [])],
  ]
}
