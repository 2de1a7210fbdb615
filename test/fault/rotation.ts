// The logins at Postgres and Redis of two gateways and two workers, or the key of their local issuer, are
// rotated again and again while requests and jobs flow through them. No request may fail, no job may be
// lost or done twice. One of two logins must be let in at every moment, and none of the old one's
// sessions may be left; every token of the issuer must be believed for as long as it lives, by the
// gateways and by who keeps their key set.
//
//   bun test/fault/rotation.ts [--secret logins|issuer] [--rate 1000] [--rounds 20]
import { z } from 'zod'
import { issuerFaults, rotateIssuer } from './rotation-issuer.ts'
import { startLoad } from './rotation-load.ts'
import { redisSessions, startProbe } from './rotation-probe.ts'
import {
  databaseSecret,
  describeSecrets,
  issuerSecret,
  openRotationStage,
  type RotationStage,
  redisSecret,
  redisUsers,
  users,
} from './rotation-stage.ts'
import { startTokens } from './rotation-tokens.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const rate = option('rate', 1_000)
const rounds = option('rounds', 20)
const endMsMax = 60_000
const isIssuer = process.argv[process.argv.indexOf('--secret') + 1] === 'issuer'
const names = isIssuer ? [issuerSecret] : [databaseSecret, redisSecret]

const problems: string[] = []
const rotated = z.object({ step: z.string() })

const stage = await openRotationStage()
try {
  await main(stage)
} catch (error) {
  problems.push(String(error).slice(0, 2_000))
} finally {
  await stage.close()
}
for (const problem of [...new Set(problems)].slice(0, 20)) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

function seconds(ms: number | undefined): string {
  return ((ms ?? 0) / 1_000).toFixed(1)
}

async function main({ sql, start, token }: RotationStage): Promise<void> {
  const gateways = await Promise.all([start('serve'), start('serve')])
  const urls = gateways.map(({ url }) => url)
  await Promise.all([start('work'), start('work')])
  await describeSecrets(stage)
  const tokens = await startTokens({ urls, minter: token })
  const load = startLoad({ urls, token: isIssuer ? tokens.pick : () => token, rate })
  const probe = startProbe(stage)
  await Bun.sleep(3_000)
  const took = new Map<string, number[]>(names.map((name) => [name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of names) took.get(name)?.push(await rotateOnce(round, name))
    problems.push(...(await issuerFaults(stage, urls)))
    const latest = names.map((name) => `${name} ${seconds(took.get(name)?.at(-1))} s`)
    say(`round ${round}: ${latest.join(', ')}`)
  }
  const { requests, ids, failures, slowestMs } = await load.stop()
  const { probes, locked } = await probe.stop()
  const { mints, again, verified, failures: unbelieved } = await tokens.stop()
  problems.push(...failures, ...locked, ...unbelieved)
  const ended = await settled(ids)
  say(`rotations of each                         ${rounds}`)
  for (const [name, each] of took) {
    each.sort((a, b) => a - b)
    const [median, longest] = [each[each.length >> 1], each.at(-1)]
    say(`seconds of ${name.padEnd(30)} ${seconds(median)}, at most ${seconds(longest)}`)
  }
  say(`requests, at ${rate}/s                     ${requests}`)
  say(`requests that failed                      ${failures.length}`)
  say(`slowest answer                            ${slowestMs.toFixed(0)} ms`)
  say(`jobs accepted                             ${ids.size}`)
  say(`jobs completed once                       ${ended}`)
  say(`tokens minted                             ${mints}, asked again ${again} times`)
  say(`tokens refused, or not believed           ${unbelieved.length}`)
  say(`verifications of them elsewhere           ${verified}`)
  say(`probes, at least one credential let in    ${probes}`)
  const rows = await sql<{ n: number }[]>`
    select count(*)::integer as n from postern_secret_rotation where step = 'done'`
  const due = rounds * names.length
  if (rows[0]?.n !== due) problems.push(`${rows[0]?.n} rotations are done, not ${due}`)
}

/** Returns how many milliseconds it took. */
async function rotateOnce(round: number, name: string): Promise<number> {
  const startedAt = performance.now()
  const output = await (name === issuerSecret
    ? rotateIssuer(stage)
    : stage.postern(['secrets', 'rotate', name, '--json']))
  const tookMs = performance.now() - startedAt
  const { step } = rotated.parse(JSON.parse(output))
  if (step !== 'done') problems.push(`rotation ${round} of ${name} ended as ${output}`)
  if (name !== issuerSecret) await checkRetired(`round ${round} of ${name}`, name)
  return tookMs
}

/** By the pointer the old user has no session, and cannot get one. */
async function checkRetired(what: string, name: string): Promise<void> {
  const { sql, store } = stage
  const [pointer] = await sql<{ current: string; previous: string }[]>`
    select current_version as current, previous_version as previous from postern_secret
    where name = ${name}`
  const { url = '' } = await store.read(name, pointer?.current ?? '')
  const pair = name === redisSecret ? redisUsers : users
  const retired = pair.find((user) => user !== new URL(url).username) ?? ''
  const sessions =
    name === redisSecret
      ? await redisSessions(stage.redisUrl, retired)
      : (await sql`select from pg_stat_activity where usename = ${retired}`).length
  if (sessions > 0) problems.push(`${what}: ${sessions} sessions of ${retired}`)
  if (name === databaseSecret) {
    const [role] = await sql<{ login: boolean }[]>`
      select rolcanlogin as login from pg_roles where rolname = ${retired}`
    if (role?.login !== false) problems.push(`${what}: ${retired} may still log in`)
  }
  const state = await store.read(name, pointer?.previous ?? '').catch(() => 'disabled')
  if (state !== 'disabled') problems.push(`${what}: the old version can be read`)
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
