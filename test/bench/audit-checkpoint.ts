import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { insertJournalRows } from '#core/audit/journal-rows.ts'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { readCheckpoint } from '#core/audit/read/make-receipt.ts'
import { fileTileSource } from '#core/audit/store/file-tile-store.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { freePort, removeAtExit } from '#test/support/server-process.ts'
import { type BenchRecord, benchRecords } from './audit-records.ts'
import { type Figure, note, printFigures, quantile } from './figures.ts'
import { untilAnswered } from './http-load.ts'
import { startProcess } from './side-process.ts'

/**
 * Milliseconds from the commit of a record to the published checkpoint that holds it, at a fixed
 * rate. The sequencer is the process of production; Postgres syncs on the same cores.
 *
 *   bun test/bench/audit-checkpoint.ts [--json]
 */
const recordsPerSecond = 2_000
const warmUpSeconds = 3
const seconds = 10
/** Between two commits of the writers; each holds what is due. */
const tickMs = 5
/** Between two looks at the checkpoint; a wait counts as up to this much longer than it was. */
const lookMs = 5
/** After the last record; then something is wrong. */
const publishedMsMax = 30_000
const required = { valueMax: 1_000 }

const root = join(import.meta.dir, '../..')

export async function checkpointFigures(): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack()
  const server = await startPostgres()
  stack.defer(() => server.stop('immediate'))
  const sql = stack.adopt(postgres(server.url, { max: 1, onnotice: () => undefined }), (open) =>
    open.end({ timeout: 1 }),
  )
  await migrate({ sql, queue: 'redis', queues: [] })
  const directory = await mkdtemp(join(tmpdir(), 'postern-bench-log-'))
  removeAtExit(directory)
  stack.use(await startSequencer(server.url, directory))

  const records = [...benchRecords(recordsPerSecond * (warmUpSeconds + seconds))]
  note(`commit to checkpoint, ${recordsPerSecond} records/s for ${seconds} s`)
  const [seen, committedAt] = await Promise.all([
    watchCheckpoint(directory, records.length),
    writeAtFixedRate(sql, records),
  ])
  const waitsMs = await waits(sql, committedAt, seen)
  const counted = waitsMs.slice(recordsPerSecond * warmUpSeconds)
  const of = (name: string, ours: number): Figure => ({
    ...{ name: `commit to checkpoint at ${recordsPerSecond} records/s, ${name}`, unit: 'ms', ours },
    ...{ baseline: undefined, required },
  })
  return [of('p50', quantile(counted, 0.5)), of('p99', quantile(counted, 0.99))]
}

async function startSequencer(databaseUrl: string, directory: string): Promise<AsyncDisposable> {
  const origin = 'bench.example.com/audit'
  const port = await freePort()
  const sequencer = startProcess([process.execPath, join(root, 'main.ts'), 'audit', 'sequence'], {
    environment: {
      POSTERN_MODE: 'development',
      POSTERN_DATABASE_URL: databaseUrl,
      POSTERN_AUDIT_ORIGIN: origin,
      POSTERN_AUDIT_KEYS: generateSignerKey(origin, 'ed25519').signerKey,
      POSTERN_AUDIT_STORE: directory,
      POSTERN_SEQUENCER_PROBE_PORT: String(port),
    },
  })
  await untilAnswered(`http://127.0.0.1:${port}/readyz`)
  return { [Symbol.asyncDispose]: () => sequencer.stop() }
}

/** When each record was committed, by id: what is due goes in together, whatever still runs. */
async function writeAtFixedRate(
  sql: Sql,
  records: readonly BenchRecord[],
): Promise<ReadonlyMap<string, number>> {
  const committedAt = new Map<string, number>()
  const commits: Promise<void>[] = []
  const startedAt = performance.now()
  let sent = 0
  while (sent < records.length) {
    const due = Math.floor(((performance.now() - startedAt) * recordsPerSecond) / 1_000)
    const rows = records.slice(sent, due)
    sent += rows.length
    if (rows.length > 0) commits.push(commit(rows))
    await Bun.sleep(tickMs)
  }
  await Promise.all(commits)
  return committedAt

  async function commit(rows: readonly BenchRecord[]): Promise<void> {
    await insertJournalRows(sql, rows)
    const at = performance.now()
    for (const { rec } of rows) committedAt.set(rec, at)
  }
}

type Seen = { readonly size: number; readonly at: number }

/** Every published size and when it was seen first, until one of `records`. */
async function watchCheckpoint(directory: string, records: number): Promise<readonly Seen[]> {
  const source = fileTileSource(directory)
  const seen: Seen[] = []
  let changedAt = performance.now()
  while ((seen.at(-1)?.size ?? 0) < records) {
    const size = (await readCheckpoint(source))?.checkpoint.size ?? 0
    const at = performance.now()
    if (size > (seen.at(-1)?.size ?? 0)) {
      seen.push({ size, at })
      changedAt = at
    }
    if (at - changedAt > publishedMsMax) throw new Error(`nothing is published behind ${size}`)
    await Bun.sleep(lookMs)
  }
  return seen
}

/** In the log's order. */
async function waits(
  sql: Sql,
  committedAt: ReadonlyMap<string, number>,
  seen: readonly Seen[],
): Promise<readonly number[]> {
  const entries = await sql<{ rec: string }[]>`
    select rec from postern_audit_entry order by idx`
  let next = 0
  return entries.flatMap(({ rec }, index) => {
    while ((seen[next]?.size ?? Number.POSITIVE_INFINITY) <= index) next++
    const at = committedAt.get(rec)
    // The sequencer's process writes records of its own.
    return at === undefined ? [] : [(seen[next]?.at ?? Number.NaN) - at]
  })
}

if (import.meta.main) printFigures(await checkpointFigures())
