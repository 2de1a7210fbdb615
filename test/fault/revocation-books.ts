import type { Desk } from './revocation-acts.ts'
import type { LoadTally } from './rotation-load.ts'
import type { RotationStage } from './rotation-stage.ts'
import { say } from './stage.ts'

const lookMs = 200
const settleMsMax = 60_000
const endMsMax = 60_000

/** Until every rotation has ended and every live process has proved what is in force. */
export async function settleAll({ stage, problems }: Desk): Promise<void> {
  const giveUpAt = performance.now() + settleMsMax
  for (;;) {
    const [row] = await stage.sql<{ open: number; behind: number }[]>`
      select (select count(*) from postern_secret_rotation where ended_at is null)::integer as open,
        (select count(*) from postern_secret s join postern_secret_ack a using (name)
          join postern_process p on p.id = a.process
          where a.version <> s.current_version
            and p.seen_at > now() - interval '30 seconds')::integer as behind`
    if (row?.open === 0 && row.behind === 0) return
    if (performance.now() > giveUpAt) {
      problems.push(`after a minute ${row?.open} rotations are open, ${row?.behind} proofs missing`)
      return
    }
    await Bun.sleep(lookMs)
  }
}

/** The histogram, of all processes that may have counted, against the rows. */
export async function compareMetric(desk: Desk, rotatorUrl: string): Promise<readonly string[]> {
  const { stage, urls, access } = desk
  const headers = { authorization: `Bearer ${access.token}` }
  const pages = await Promise.all(
    [`${rotatorUrl}/metrics`, ...urls.map((url) => `${url}/internal/metrics`)].map(async (url) =>
      (await fetch(url, { headers })).text(),
    ),
  )
  const rows = await stage.sql<{ class: string; n: number; seconds: number }[]>`
    select class, count(*)::integer as n,
      sum(extract(epoch from effective_at - in_force_at))::float8 as seconds
    from postern_revocation where effective_at is not null group by class order by class`
  say('')
  return rows.flatMap(({ class: of, n, seconds }) => {
    const [count, sum] = [sumOf(pages, `count{class="${of}"}`), sumOf(pages, `sum{class="${of}"}`)]
    say(
      `metric of ${of.padEnd(11)} ${count} of ${n} counted, ${sum.toFixed(2)} of ${seconds.toFixed(2)} s`,
    )
    // A login that is revoked again has one row, and was counted each time.
    const isSame =
      of === 'credential' ? count >= n : count === n && Math.abs(sum - seconds) < 0.01 * n
    return isSame ? [] : [`the metric of ${of} counts ${count} of ${n} revocations`]
  })
}

function sumOf(pages: readonly string[], series: string): number {
  const prefix = `postern_revocation_effective_seconds_${series} `
  const lines = pages.flatMap((page) => page.split('\n').filter((line) => line.startsWith(prefix)))
  return lines.reduce((sum, line) => sum + Number(line.slice(prefix.length)), 0)
}

/** Requests may fail where a login dies under them; an accepted job ends, and once. */
export async function jobFaults(
  { sql }: Pick<RotationStage, 'sql'>,
  { requests, ids, failures }: LoadTally,
): Promise<readonly string[]> {
  say(`requests of the load: ${requests}, failed ${failures.length}, jobs accepted ${ids.size}`)
  for (const [failure, all] of Map.groupBy(failures, (text) => text.slice(-200))
    .entries()
    .take(3)) {
    say(`  ${all.length} like: ${failure}`)
  }
  const list = [...ids]
  const giveUpAt = performance.now() + endMsMax
  let left = list.length
  while (left > 0 && performance.now() < giveUpAt) {
    const [row] = await sql<{ n: number }[]>`
      select count(*)::integer as n from postern_job
      where id = any(${list}::uuid[]) and state = 'completed'`
    left = list.length - (row?.n ?? 0)
    await Bun.sleep(lookMs)
  }
  const twice = await sql`
    select convert_from(body, 'UTF8')::jsonb ->> 'target' as target from postern_audit_intake
    where convert_from(body, 'UTF8')::jsonb ->> 'type' = 'job.completed'
    group by 1 having count(*) > 1`
  return [
    ...(left > 0 ? [`${left} of ${list.length} accepted jobs did not complete`] : []),
    ...(twice.length > 0 ? [`${twice.length} jobs completed twice`] : []),
  ]
}
