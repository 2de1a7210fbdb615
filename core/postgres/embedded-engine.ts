import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import initdbWasm from '@electric-sql/pglite/initdb.wasm' with { type: 'file' }
import pgliteData from '@electric-sql/pglite/pglite.data' with { type: 'file' }
import pgliteWasm from '@electric-sql/pglite/pglite.wasm' with { type: 'file' }
import { holdDirectory } from './hold-directory.ts'
import { openWireFront } from './wire-front.ts'

export type EmbeddedEngine = {
  /** For `postgres` and `pg` alike; plain, on loopback. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Postgres inside this process, its data in a directory that one process holds at a time. A
 * laptop's engine: one session shared by all connections, files never synced, so state survives a
 * restart and not a power cut. Throws `ConfigError` when another process holds the directory.
 */
export async function openEmbeddedEngine(options: {
  readonly directory: string
  /** Throws away what earlier runs left. */
  readonly fresh?: boolean
}): Promise<EmbeddedEngine> {
  const { directory } = options
  const data = join(directory, 'data')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const hold = await holdDirectory(directory)
  try {
    if (options.fresh === true) await rm(data, { recursive: true, force: true })
    const [pgliteWasmModule, initdbWasmModule] = await Promise.all([
      compile(pgliteWasm),
      compile(initdbWasm),
    ])
    const engine = await PGlite.create({
      dataDir: data,
      pgliteWasmModule,
      initdbWasmModule,
      fsBundle: new Blob([await Bun.file(pgliteData).arrayBuffer()]),
    })
    const password = crypto.randomUUID()
    const front = await openWireFront({
      password,
      execute: (unit) => engine.execProtocolRaw(unit, { syncToFs: false }),
      serverVersion: await versionOf(engine),
    })
    return {
      url: `postgres://postgres:${password}@127.0.0.1:${front.port}/postgres`,
      async close() {
        await front.close()
        await engine.close()
        await hold.release()
      },
    }
  } catch (error) {
    await hold.release()
    throw error
  }
}

async function compile(path: string): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await Bun.file(path).arrayBuffer())
}

async function versionOf(engine: PGlite): Promise<string> {
  const answer = await engine.query<{ server_version: string }>('show server_version')
  return answer.rows[0]?.server_version ?? '17.0'
}
