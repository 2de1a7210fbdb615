// The Postgres login of two gateways and two workers is rotated again and again while requests and
// jobs flow through them. No request may fail, no job may be lost or done twice, one of the two
// credentials must log in at every moment, and none of the old one's sessions may be left.
//
//   bun test/fault/rotation.ts [--rate 1000] [--rounds 20]
import { z } from 'zod'
import { startLoad } from './rotation-load.ts'
import { startProbe } from './rotation-probe.ts'
import { openRotationStage, type RotationStage, secretName, users } from './rotation-stage.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const rate = option('rate', 1_000)
const rounds = option('rounds', 20)
const endMsMax = 60_000

const problems: string[] = []
const rotated = z.object({ step: z.string() })

const stage = await openRotationStage()
try {
  await main(stage)
} finally {
  await stage.close()
}
for (const problem of [...new Set(problems)].slice(0, 20)) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

function seconds(ms: number | undefined): string {
  return ((ms ?? 0) / 1_000).toFixed(1)
}

async function main({ sql, start, postern }: RotationStage): Promise<void> {
  const urls = await Promise.all([start('serve'), start('serve')])
  await Promise.all([start('work'), start('work')])
  const admin = ['--admin', 'secret:postern/rotator#url']
  await postern(['secrets', 'set-rotation', secretName, '--users', users.join(), ...admin])
  const load = startLoad({ urls, token: stage.token, rate })
  const probe = startProbe(stage)
  await Bun.sleep(3_000)
  const took: number[] = []
  for (let round = 1; round <= rounds; round += 1) {
    const startedAt = performance.now()
    const output = await postern(['secrets', 'rotate', secretName, '--json'])
    took.push(performance.now() - startedAt)
    say(`rotation ${round}: ${seconds(took.at(-1))} s`)
    const { step } = rotated.parse(JSON.parse(output))
    if (step !== 'done') problems.push(`rotation ${round} ended as ${output}`)
    await checkRetired(round)
  }
  const { requests, ids, failures, slowestMs } = await load.stop()
  const { probes, locked } = await probe.stop()
  problems.push(...failures, ...locked)
  const ended = await settled(ids)
  took.sort((a, b) => a - b)
  say(`rotations                                 ${took.length}`)
  say(
    `seconds of one, median / longest          ${seconds(took[took.length >> 1])} / ${seconds(took.at(-1))}`,
  )
  say(`requests, at ${rate}/s                     ${requests}`)
  say(`requests that failed                      ${failures.length}`)
  say(`slowest answer                            ${slowestMs.toFixed(0)} ms`)
  say(`jobs accepted                             ${ids.size}`)
  say(`jobs completed once                       ${ended}`)
  say(`probes, at least one credential let in    ${probes}`)
  const rows = await sql<{ n: number }[]>`
    select count(*)::integer as n from postern_secret_rotation where step = 'done'`
  if (rows[0]?.n !== rounds) problems.push(`${rows[0]?.n} rotations are done, not ${rounds}`)
}

/** By the pointer the old user has no session, and cannot get one. */
async function checkRetired(round: number): Promise<void> {
  const { sql, store } = stage
  const [pointer] = await sql<{ current: string; previous: string }[]>`
    select current_version as current, previous_version as previous from postern_secret
    where name = ${secretName}`
  const { url = '' } = await store.read(secretName, pointer?.current ?? '')
  const user = new URL(url).username
  const retired = users.find((name) => name !== user) ?? ''
  const sessions = await sql`select from pg_stat_activity where usename = ${retired}`
  if (sessions.length > 0)
    problems.push(`round ${round}: ${sessions.length} sessions of ${retired}`)
  const [role] = await sql<{ login: boolean }[]>`
    select rolcanlogin as login from pg_roles where rolname = ${retired}`
  if (role?.login !== false) problems.push(`round ${round}: ${retired} may still log in`)
  const state = await store.read(secretName, pointer?.previous ?? '').catch(() => 'disabled')
  if (state !== 'disabled') problems.push(`round ${round}: the old version can be read`)
}

/** Waits for the jobs' ends; returns how many completed, each with one outcome and one record of it. */
async function settled(ids: ReadonlySet<string>): Promise<number> {
  const { sql } = stage
  const giveUpAt = performance.now() + endMsMax
  for (;;) {
    const [row] = await sql<{ left: number }[]>`
      select count(*)::integer as left from postern_job
      where kind = 'score-wallet' and finished_at is null`
    if (row?.left === 0) break
    if (performance.now() > giveUpAt) {
      problems.push(`${row?.left} jobs never ended`)
      break
    }
    await Bun.sleep(100)
  }
  const rows = await sql<{ id: string; state: string }[]>`
    select id, state from postern_job where kind = 'score-wallet'`
  const states = new Map(rows.map(({ id, state }) => [id, state]))
  for (const id of ids)
    if (states.get(id) !== 'completed') problems.push(`job ${id}: ${states.get(id)}`)
  if (rows.length !== ids.size) problems.push(`${rows.length} jobs for ${ids.size} accepted ones`)
  const twice = await sql`
    select convert_from(body, 'UTF8')::jsonb ->> 'target' as target from postern_audit_intake
    where convert_from(body, 'UTF8')::jsonb ->> 'type' = 'job.completed'
    group by 1 having count(*) > 1`
  if (twice.length > 0) problems.push(`${twice.length} jobs completed twice`)
  return [...ids].filter((id) => states.get(id) === 'completed').length
}
