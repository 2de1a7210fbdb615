import postgres from 'postgres'
import { freePort } from '#test/support/server-process.ts'
import { benchAccess } from './bench-access.ts'
import { benchBody } from './bench-kind.ts'
import { type Databases, emptyDatabases, startDatabases, untilDispatched } from './databases.ts'
import { type Figure, inTurns, note, printFigures } from './figures.ts'
import { requestsPerSecond, untilAnswered } from './http-load.ts'
import { type SideProcess, startSide } from './side-process.ts'

/**
 * What its audit record costs an accepted job: jobs a second over HTTP beside the same gateway, on
 * the same database, whose accepting statement leaves the record out. Nothing sequences meanwhile.
 *
 *   bun test/bench/audit-intake.ts [--json]
 */
const rounds = 7
const warmUpSeconds = 2
const seconds = 2
const required = { ratioMin: 0.75 }

const modes = { ours: 'full', without: 'unrecorded' } as const
type Side = keyof typeof modes

export async function intakeFigures(): Promise<Figure[]> {
  const databases = await startDatabases()
  const access = await benchAccess()
  const processes: SideProcess[] = []
  const urls = { ours: await open('ours'), without: await open('without') }
  const figures: Figure[] = []
  for (const connections of [50, 200] as const) {
    note(`accept with and without the audit record, ${connections} connections`)
    for (const side of ['without', 'ours'] as const) await round(side, connections, warmUpSeconds)
    const turns = await inTurns<Side>(rounds, {
      without: () => round('without', connections, seconds),
      ours: () => round('ours', connections, seconds),
    })
    figures.push({
      name: `accept with its audit record, ${connections} connections`,
      unit: 'jobs/s',
      ours: turns.medianOf('ours'),
      baseline: turns.baseline('ours', 'without', 'without the record'),
      required,
    })
  }
  await Promise.all(processes.map((process) => process.stop()))
  await databases.close()
  return figures

  async function open(side: Side): Promise<string> {
    const port = await freePort()
    const document = JSON.stringify(access.document)
    processes.push(startSide(['gateway-side.ts', modes[side], String(port), document], databases))
    const origin = `http://127.0.0.1:${port}`
    await untilAnswered(`${origin}/healthz`)
    return `${origin}/v1/jobs/bench`
  }

  async function round(side: Side, connections: number, duration: number): Promise<number> {
    const measured = await requestsPerSecond({
      ...{ url: urls[side], token: access.token, body: benchBody, connections, seconds: duration },
    })
    await untilDispatched(databases)
    await confirmRecords(side, databases)
    await emptyDatabases(databases)
    return measured
  }
}

/** The two sides differ in what they claim to differ in. */
async function confirmRecords(side: Side, { postgresUrl }: Databases): Promise<void> {
  const sql = postgres(postgresUrl, { max: 1 })
  const [row] = await sql<{ jobs: number; recorded: number }[]>`
    select count(*)::integer as jobs, count(i.rec)::integer as recorded
    from postern_job j left join postern_audit_intake i on i.rec = j.id`
  await sql.end()
  const expected = side === 'ours' ? row?.jobs : 0
  if (row === undefined || row.jobs === 0 || row.recorded !== expected) {
    throw new Error(`${side}: ${row?.recorded} of ${row?.jobs} jobs have a record`)
  }
}

if (import.meta.main) printFigures(await intakeFigures())
