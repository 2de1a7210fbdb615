import { recordedTransaction } from '#core/audit/journal-rows.ts'
import { type DriftStep, decideStep } from '#core/drift/decide-step.ts'
import type { DriftReport, DriftSource, Finding } from '#core/drift/finding.ts'
import { applyDriftStep, readDriftState } from '#core/drift/postgres-drift.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

export function finding(address: string, changes: Partial<Finding> = {}): Finding {
  const of = { attribute: 'policy', kind: 'drift', severity: 'high', summary: 'x' } as const
  return { address, ...of, ...changes }
}

export function report(
  addresses: readonly string[],
  changes: Partial<DriftReport> = {},
): DriftReport {
  const findings = addresses.map((address) => finding(address))
  const verdict = findings.length === 0 ? 'clean' : 'drift'
  return { source: 'plan', verdict, findings, noise: 0, ...changes }
}

/** A database with the schema, and what a process with a worker's rights does there. */
export async function openDriftWorld() {
  const stack = new AsyncDisposableStack()
  const url = await (await sharedPostgres()).createDatabase()
  const connect = (at: string, role?: 'postern_worker' | 'postern_gateway', max = 2) =>
    stack.adopt(
      connectPostgres({ url: at, mode: 'development', applicationName: 'test', max, role }),
      (open) => open.end({ timeout: 1 }),
    )
  const sql = connect(url)
  await migrate({ sql, queue: 'redis' })
  const worker = connect(url, 'postern_worker')
  const journal = testJournal()

  async function decide(of: DriftReport, on = worker): Promise<DriftStep> {
    const at = new Date()
    const about = { by: 'test', startedAt: at, endedAt: at }
    return decideStep(await readDriftState(on, of.source), of, about)
  }

  async function store(step: DriftStep, on = worker): Promise<void> {
    await recordedTransaction(on, journal, async (transaction, record) => {
      await applyDriftStep(transaction, step)
      await record(step.records)
    })
  }

  return {
    ...{ url, sql, worker, connect, decide, store },
    gateway: connect(url, 'postern_gateway'),
    check: async (of: DriftReport, on = worker) => store(await decide(of, on), on),
    state: (source: DriftSource = 'plan') => readDriftState(worker, source),
    /** How often each record of drift was written. */
    async records(): Promise<Readonly<Record<string, number>>> {
      const rows = await sql<{ type: string; count: number }[]>`
        select convert_from(body, 'UTF8')::jsonb ->> 'type' as type, count(*)::integer as count
        from postern_audit_intake group by 1`
      return Object.fromEntries(rows.map(({ type, count }) => [type, count]))
    },
    async clear(): Promise<void> {
      await sql`truncate postern_drift_finding, postern_drift_run, postern_audit_intake`
      await sql`update postern_drift_source set run = null, judged_at = null, judged_until = null`
    },
    close: () => stack.disposeAsync(),
  }
}

export type DriftWorld = Awaited<ReturnType<typeof openDriftWorld>>
