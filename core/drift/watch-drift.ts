import type { Sql } from 'postgres'
import { z } from 'zod'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { severities } from './drift-policy.ts'
import { type DriftSource, driftSources } from './finding.ts'

/** Between two looks; a check runs once a day, and an alert waits for minutes. */
const watchMs = 30_000

const countRows = z.array(
  z.object({ source: z.enum(driftSources), severity: z.enum(severities), count: z.int() }),
)
const headRows = z.array(z.object({ source: z.enum(driftSources), seconds: z.number().nullable() }))

export type WatchDriftOptions = {
  readonly sql: Sql
  /** Those whose silence is an alarm from the start on. */
  readonly expected: readonly DriftSource[]
  readonly metrics: Pick<Metrics, 'driftFindings' | 'driftLastCheck'>
  readonly log: Log
}

/** Keeps the metrics as Postgres has it, so that a restart of a process resolves no alert. */
export function watchDrift(options: WatchDriftOptions): { close(): Promise<void> } {
  const look = oneAtATime(() =>
    showDrift(options).catch((error: unknown) => options.log.warn('drift.not_shown', { error })),
  )
  const timer = setInterval(() => void look.unlessRunning(), watchMs)
  void look.unlessRunning()
  return {
    async close() {
      clearInterval(timer)
      await look.close()
    },
  }
}

export async function showDrift({ sql, expected, metrics }: WatchDriftOptions): Promise<void> {
  const counts = countRows.parse(
    await sql`
      select source, severity, count(*)::integer as count from postern_drift_finding
      where resolved_at is null group by source, severity`,
  )
  // Before the first check counts when it was to begin: one that never comes through is an alarm too.
  const heads = headRows.parse(
    await sql`
      select d.source, extract(epoch from coalesce(d.judged_at, s.created_at))::float8 as seconds
      from postern_drift_source d left join postern_schedule s
        on s.name = 'check-drift' and d.source = any(${[...expected]}::text[])`,
  )
  for (const source of driftSources) {
    for (const severity of severities) {
      const found = counts.find((one) => one.source === source && one.severity === severity)
      metrics.driftFindings.set({ source, severity }, found?.count ?? 0)
    }
  }
  for (const { source, seconds } of heads) {
    if (seconds !== null) metrics.driftLastCheck.set({ source }, seconds)
  }
}
