// Redis away: acceptances go on, `serve` stays ready, dispatch catches up. Postgres away: 503 with
// Retry-After within 100 ms. Both come back without a restart.
//
//   bun test/fault/outages.ts [seed]
import { z } from 'zod'
import { openStage, post, say, scoreRequests } from './stage.ts'

const acceptedWhileAway = 500
const askedWhileAway = 200
const refusalMsMax = 100
const recoveryMsMax = 30_000
const path = '/v1/jobs/score-wallet'
const accepted = z.object({ id: z.uuid() })

const stage = await openStage()
const next = scoreRequests(Number(process.argv[2] ?? 1), 5)
const problems: string[] = []
try {
  const sides = [await stage.serve(), await stage.work()]
  check((await accept()) === 202, 'accepts before anything breaks')
  await redisAway()
  await postgresAway('stopped', stage.postgres.stop, stage.postgres.start)
  for (const side of sides) check(isAlive(side.pid), `process ${side.pid} lived through it`)
} finally {
  await stage.close()
}
for (const problem of problems) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

async function redisAway(): Promise<void> {
  await stage.redis.stop('SIGKILL')
  const timesMs: number[] = []
  const ids: string[] = []
  for (let index = 0; index < acceptedWhileAway; index += 1) {
    const startedAt = performance.now()
    const answer = await post(stage, path, { body: next() })
    timesMs.push(performance.now() - startedAt)
    check(answer?.status === 202, `with Redis away: ${answer?.status}`)
    if (answer?.status === 202) ids.push(accepted.parse(await answer.json()).id)
  }
  const ready = await fetch(`${stage.url}/readyz`).then((answer) => answer.status)
  check(ready === 200, `/readyz of serve with Redis away: ${ready}`)
  await stage.redis.start()
  const startedAt = performance.now()
  const lateMs = await within(recoveryMsMax, async () => (await unfinished()) === 0, startedAt)
  check(lateMs !== undefined, 'what was accepted with Redis away ends')
  say(
    `Redis away: ${ids.length} of ${acceptedWhileAway} answered 202, ${spread(timesMs)}; ` +
      `/readyz ${ready}; all ended ${seconds(lateMs)} after it was back`,
  )
}

async function postgresAway(
  how: string,
  leave: () => Promise<void>,
  comeBack: () => Promise<void>,
): Promise<void> {
  await leave()
  const timesMs: number[] = []
  for (let index = 0; index < askedWhileAway; index += 1) {
    const startedAt = performance.now()
    const answer = await post(stage, path, { body: next() })
    timesMs.push(performance.now() - startedAt)
    const retryAfter = answer?.headers.get('retry-after') ?? ''
    check(answer?.status === 503, `with Postgres ${how}: ${answer?.status}`)
    check(/^\d+$/.test(retryAfter), `Retry-After with Postgres ${how}: ${retryAfter}`)
    await answer?.arrayBuffer()
    // Spread over the outage, so that attempts to connect fall among them.
    await Bun.sleep(10)
  }
  // The 99th of a hundred: the slowest of all is the machine's, which runs both servers beside it.
  const lateMs = quantile(timesMs, 0.99)
  check(lateMs < refusalMsMax, `503 with Postgres ${how} took ${lateMs.toFixed(0)} ms`)
  const ready = await fetch(`${stage.url}/readyz`).then((answer) => answer.status)
  check(ready === 503, `/readyz of serve with Postgres ${how}: ${ready}`)
  await comeBack()
  const startedAt = performance.now()
  const acceptedMs = await within(recoveryMsMax, async () => (await accept()) === 202, startedAt)
  const endedMs = await within(recoveryMsMax, async () => (await unfinished()) === 0, startedAt)
  check(acceptedMs !== undefined && endedMs !== undefined, `recovers from Postgres ${how}`)
  say(
    `Postgres ${how}: ${askedWhileAway} times 503, ${spread(timesMs)}; /readyz ${ready}; ` +
      `accepts again ${seconds(acceptedMs)} after it was back, all ended after ${seconds(endedMs)}`,
  )
}

async function accept(): Promise<number | undefined> {
  const answer = await post(stage, path, { body: next() })
  await answer?.arrayBuffer()
  return answer?.status
}

async function unfinished(): Promise<number | undefined> {
  const rows = await stage.sql<{ count: number }[]>`
    select count(*)::integer as count from postern_job where finished_at is null`.catch(() => [])
  return rows[0]?.count
}

/** Milliseconds until it was so; undefined when it was not in time. */
async function within(
  msMax: number,
  isSo: () => Promise<boolean>,
  startedAt: number,
): Promise<number | undefined> {
  while (performance.now() - startedAt < msMax) {
    if (await isSo()) return performance.now() - startedAt
    await Bun.sleep(20)
  }
  return undefined
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function check(isKept: boolean, promise: string): void {
  if (!isKept && !problems.includes(promise)) problems.push(promise)
}

function spread(timesMs: readonly number[]): string {
  const at = (share: number) => quantile(timesMs, share).toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, slowest ${at(1)} ms`
}

function quantile(timesMs: readonly number[], share: number): number {
  const sorted = [...timesMs].sort((left, right) => left - right)
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`
}
