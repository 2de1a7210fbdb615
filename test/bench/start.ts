import { existsSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, removeAtExit } from '#test/support/server-process.ts'
import { collectorEnvironment } from '../../commands/collector.ts'
import { benchAccess } from './bench-access.ts'
import { type Databases, emptyDatabases, startDatabases } from './databases.ts'
import { type Figure, median, note, printFigures } from './figures.ts'
import { requestsPerSecond, untilAnswered } from './http-load.ts'
import { type SideProcess, startProcess } from './side-process.ts'

/**
 * Milliseconds from exec to ready, and the gateway's memory over a million requests. Takes the
 * compiled binary when there is one (`npm run build`), else the sources.
 *
 *   bun test/bench/start.ts [--json]
 */
const starts = 5
const requestsMin = 1_000_000
const connections = 50
/** Of five stretches four read and one accepts. */
const stretchSeconds = { read: 4, accept: 1 } as const

const root = join(import.meta.dir, '../..')
const binary = join(root, 'dist', 'postern')
const isCompiled = existsSync(binary)
const postern = isCompiled ? [binary] : [process.execPath, join(root, 'main.ts')]
const what = isCompiled ? 'compiled' : 'from source'

type Gateway = { readonly process: SideProcess; readonly origin: string; readonly readyMs: number }

export async function startFigures(): Promise<Figure[]> {
  const databases = await startDatabases()
  const folder = await scratchFolder()
  const access = await benchAccess()
  const accessFile = join(folder, 'access.json')
  await writeFile(accessFile, JSON.stringify(access.document))

  note(`serve, ${what}, ${starts} times`)
  const serveMs: number[] = []
  for (let count = 0; count < starts; count++) {
    const gateway = await serve(databases, accessFile)
    serveMs.push(gateway.readyMs)
    await gateway.process.stop()
  }
  const first = await upMs(folder)
  const later: number[] = []
  for (let count = 0; count < starts; count++) later.push(await upMs(folder))
  const memory = await memoryOver(await serve(databases, accessFile), databases, access.token)
  await databases.close()
  return [
    atMost(`serve, ${what}, exec to ready`, 'ms', median(serveMs), 400),
    atMost(`up, ${what}, first start`, 'ms', first, 5_000),
    atMost(`up, ${what}, later starts`, 'ms', median(later), 1_500),
    atMost('gateway RSS after 1,000,000 requests', 'MB', memory.atEndMb, 150),
    atMost('its growth over the last half', 'MB', memory.growthMb, growthMbMax),
  ]
}

/** Less than what a collection more or less makes. */
const growthMbMax = 5

function atMost(name: string, unit: string, ours: number, valueMax: number): Figure {
  return { name, unit, ours, baseline: undefined, required: { valueMax } }
}

async function serve(databases: Databases, accessFile: string): Promise<Gateway> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const process = startProcess([...postern, 'serve'], {
    environment: {
      ...collectorEnvironment,
      POSTERN_MODE: 'development',
      POSTERN_DATABASE_URL: databases.postgresUrl,
      POSTERN_REDIS_URL: databases.redisUrl,
      POSTERN_ACCESS_FILE: accessFile,
      POSTERN_LISTEN_ADDRESS: '127.0.0.1',
      POSTERN_LISTEN_PORT: String(port),
    },
  })
  return { process, origin, readyMs: await untilAnswered(`${origin}/readyz`) }
}

async function upMs(folder: string): Promise<number> {
  const port = await freePort()
  const process = startProcess([...postern, 'up', '--port', String(port)], { cwd: folder })
  const readyMs = await untilAnswered(`http://127.0.0.1:${port}/readyz`)
  note(`up: ${Math.round(readyMs)} ms`)
  await process.stop()
  return readyMs
}

/** At the end means the last quarter of the requests; growth is that of its mean over the quarter before. */
async function memoryOver({ process, origin }: Gateway, databases: Databases, token: string) {
  const samples: { readonly requests: number; readonly mb: number }[] = []
  const read = { url: `${origin}/v1/kinds`, token, connections, seconds: stretchSeconds.read }
  const accept = {
    ...{ url: `${origin}/v1/jobs/score-wallet`, token, connections },
    ...{ body: acceptBody, seconds: stretchSeconds.accept },
  }
  let requests = 0
  while (requests < requestsMin) {
    for (const load of [read, accept]) {
      requests += (await requestsPerSecond(load)) * load.seconds
      samples.push({ requests, mb: await residentMb(process.pid) })
    }
    await emptyDatabases(databases)
    note(`${Math.round(requests)} requests, ${samples.at(-1)?.mb.toFixed(0)} MB`)
  }
  await process.stop()
  const meanOver = (from: number, to: number) => {
    const some = samples.filter(
      (sample) => sample.requests > from * requests && sample.requests <= to * requests,
    )
    return some.reduce((sum, sample) => sum + sample.mb, 0) / some.length
  }
  const atEndMb = meanOver(0.75, 1)
  return { atEndMb, growthMb: atEndMb - meanOver(0.5, 0.75) }
}

const acceptBody = JSON.stringify({
  payload: { wallet: 'So11111111111111111111111111111111111111112' },
})

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}

async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'))
  removeAtExit(folder)
  return folder
}

if (import.meta.main) printFigures(await startFigures())
