import { freePort } from '#test/support/server-process.ts'
import { benchAccess } from './bench-access.ts'
import { benchBody } from './bench-kind.ts'
import { emptyDatabases, startDatabases, untilDispatched } from './databases.ts'
import { type Figure, inTurns, note, printFigures } from './figures.ts'
import { requestsPerSecond, untilAnswered } from './http-load.ts'
import { type SideProcess, startSide } from './side-process.ts'

/**
 * Accepted jobs a second over HTTP: 202 after the commit of job, outbox and audit record, with
 * token, allowlist and fsync, and dispatched. Beside it a handler that only does `queue.add`, and
 * one that commits each request by itself.
 *
 *   bun test/bench/accept.ts [--json]
 */
const rounds = 7
const warmUpSeconds = 2
const seconds = 2
const acceptedPerSecondMin = 10_000
const required = { 50: { naive: 2, bare: 0.45 }, 200: { naive: 2.5, bare: 0.5 } } as const

const sides = ['bare', 'ours', 'naive'] as const
type Side = (typeof sides)[number]

const processes: SideProcess[] = []

export async function acceptFigures(): Promise<Figure[]> {
  const databases = await startDatabases()
  const access = await benchAccess()
  const urls = { bare: await open('bare'), ours: await open('ours'), naive: await open('naive') }
  const figures: Figure[] = []
  for (const connections of [50, 200] as const) {
    note(`accept, ${connections} connections`)
    for (const side of sides) await round(side, connections, warmUpSeconds)
    const turns = await inTurns<Side>(rounds, {
      bare: () => round('bare', connections, seconds),
      ours: () => round('ours', connections, seconds),
      naive: () => round('naive', connections, seconds),
    })
    const name = `accept over HTTP, ${connections} connections`
    const ours = { name, unit: 'jobs/s', ours: turns.medianOf('ours') }
    for (const side of ['naive', 'bare'] as const) {
      figures.push({
        ...ours,
        baseline: turns.baseline('ours', side, baselineNames[side]),
        required: { ratioMin: required[connections][side] },
      })
    }
    if (connections === 200) {
      figures.push({ ...ours, baseline: undefined, required: { valueMin: acceptedPerSecondMin } })
    }
  }
  await Promise.all(processes.map((process) => process.stop()))
  await databases.close()
  return figures

  async function open(side: Side): Promise<string> {
    const port = await freePort()
    const [script, mode] = side === 'ours' ? ['gateway-side.ts', 'full'] : ['plain-side.ts', side]
    const document = JSON.stringify(access.document)
    processes.push(startSide([script, mode, String(port), document], databases))
    const origin = `http://127.0.0.1:${port}`
    await untilAnswered(side === 'ours' ? `${origin}/healthz` : origin)
    return `${origin}/v1/jobs/bench`
  }

  async function round(side: Side, connections: number, duration: number): Promise<number> {
    const measured = await requestsPerSecond({
      ...{ url: urls[side], token: access.token, body: benchBody, connections, seconds: duration },
    })
    if (side === 'ours') await untilDispatched(databases)
    await emptyDatabases(databases)
    return measured
  }
}

const baselineNames = { bare: 'bare queue.add', naive: 'a transaction per request' } as const

if (import.meta.main) printFigures(await acceptFigures())
