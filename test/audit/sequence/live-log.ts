import postgres, { type Sql } from 'postgres'
import type { NoteSigner } from '#core/audit/note/signer.ts'
import { inspectHead } from '#core/audit/sequence/inspect-head.ts'
import type { LogEntry, SignedTree } from '#core/audit/sequence/log-database.ts'
import { postgresLogDatabase } from '#core/audit/sequence/postgres-log-database.ts'
import { createPublisher } from '#core/audit/sequence/publisher.ts'
import { recentEntries } from '#core/audit/sequence/recent-entries.ts'
import { createSequencer } from '#core/audit/sequence/sequencer.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { memoryTileStore } from './memory-tile-store.ts'
import { origin } from './simulated-process.ts'

/** A sequencer on a real database, with a tile store in memory, driven turn by turn. */
export function openLiveLog(options: {
  readonly url: string
  readonly signers: readonly NoteSigner[]
  /** Undefined on the embedded engine. */
  readonly role: 'postern_sequencer' | undefined
  readonly memory?: ReturnType<typeof memoryTileStore>
}) {
  const { url, signers, role } = options
  const { store, objects } = options.memory ?? memoryTileStore()
  const sql = connectPostgres({
    ...{ url, caFile: undefined, mode: 'development', applicationName: 'sequencer', max: 3 },
    role,
  })
  const database = postgresLogDatabase(sql)
  const log = silentLog()
  const keys = () => signers.map((signer) => signer.key)
  const seen = { database, store, origin, keys, witnessing: undefined, log }
  const sequencer = createSequencer({
    ...{
      database,
      owner: crypto.randomUUID(),
      origin,
      signers: () => signers,
      log,
      metrics: createMetrics(),
    },
    inspect: (head) => inspectHead(head, seen),
    nowMs: () => performance.now(),
  })
  const publisher = createPublisher({ ...seen, recent: recentEntries() })
  return {
    database,
    sequencer,
    publisher,
    objects,
    /** Turns until nothing waits; publishes the last tree. */
    async drain(): Promise<void> {
      for (;;) {
        const { kind } = await sequencer.turn()
        if (kind === 'idle' || kind === 'frozen') break
        if (kind === 'following') await Bun.sleep(100)
      }
      const tree = await database.newestTree()
      if (tree !== undefined) await publisher.publish(tree)
    },
    close: () => sql.end({ timeout: 1 }),
  }
}

export type LiveLog = ReturnType<typeof openLiveLog>

/** As somebody who may look at everything. */
export function openOwner(url: string): Sql {
  return postgres(url, { max: 12, onnotice: () => undefined })
}

export async function insertRecord(
  sql: Pick<Sql, 'unsafe'>,
  rec: string,
  body: string | Uint8Array,
): Promise<void> {
  await sql.unsafe('insert into postern_audit_intake (rec, body) values ($1, $2)', [
    rec,
    Buffer.from(body),
  ])
}

export async function logContents(
  sql: Sql,
): Promise<{ readonly entries: LogEntry[]; readonly trees: SignedTree[] }> {
  const entries = await sql<LogEntry[]>`
    select rec, body, leaf from postern_audit_entry order by idx`
  const trees = await sql<{ size: string; root: Uint8Array; note: string }[]>`
    select size, root, note from postern_audit_checkpoint order by size`
  return {
    entries: [...entries],
    trees: trees.map(({ size, root, note }) => ({ size: Number(size), root, note })),
  }
}
