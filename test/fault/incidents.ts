// Redis away, Postgres stopped, Postgres frozen, no worker, no gateway, no process at all, each for
// ten seconds: each is exactly one incident of its class, which begins with the fault and ends with it.
//
//   bun test/fault/incidents.ts [class …]
import { z } from 'zod'
import { openStage, type Side, say } from './stage.ts'

const awayMs = 10_000
/** What a process takes to start and to be heard of, a bus to be reconnected, and two looks. */
const lateSecondsMax = 12
/** A heartbeat and a canary before the fault are the last that came through. */
const earlySecondsMax = 8
const settleMsMax = 60_000
/** All processes have looked around and told each other of themselves. */
const quietMs = 12_000

const page = z.object({
  incidents: z.array(
    z.object({
      class: z.string(),
      state: z.enum(['open', 'recovered', 'unseen']),
      reason: z.string(),
      started_at: z.string(),
      recovered_at: z.string().nullable(),
      seconds: z.number(),
    }),
  ),
  summary: z.object({
    classes: z.array(z.object({ class: z.string(), mttr_seconds: z.number().nullable() })),
  }),
})

const stage = await openStage()
const problems: string[] = []
let gateway: Side
let worker: Side

const faults: readonly (readonly [name: string, of: string, () => Promise<void>])[] = [
  [
    'Redis away',
    'queue',
    async () => {
      await stage.redis.stop('SIGKILL')
      await Bun.sleep(awayMs)
      await stage.redis.start()
    },
  ],
  [
    'Postgres stopped',
    'database',
    async () => {
      await stage.postgres.stop()
      await Bun.sleep(awayMs)
      await stage.postgres.start()
    },
  ],
  [
    'Postgres frozen',
    'database',
    async () => {
      await stage.postgres.pause()
      await Bun.sleep(awayMs)
      await stage.postgres.resume()
    },
  ],
  [
    'the worker killed',
    'workers',
    async () => {
      await worker.kill()
      await Bun.sleep(awayMs)
      worker = await stage.work()
    },
  ],
  [
    'the gateway killed',
    'gateway',
    async () => {
      await gateway.kill()
      await Bun.sleep(awayMs)
      gateway = await stage.serve()
    },
  ],
  [
    'everything killed',
    'process',
    async () => {
      await Promise.all([gateway.kill(), worker.kill()])
      await Bun.sleep(awayMs)
      ;[gateway, worker] = await Promise.all([stage.serve(), stage.work()])
    },
  ],
]

const wanted = process.argv.slice(2)
try {
  ;[gateway, worker] = await Promise.all([stage.serve(), stage.work()])
  await Bun.sleep(quietMs)
  let seen = (await read()).incidents.length
  check(seen === 0, `${seen} incidents before anything was broken`)
  for (const [name, of, strike] of faults) {
    if (wanted.length > 0 && !wanted.includes(of)) continue
    seen += await judge(name, of, { strike, before: seen })
  }
  for (const { class: of, mttr_seconds: mttr } of (await read()).summary.classes) {
    if (mttr !== null) say(`MTTR ${of}: ${mttr.toFixed(1)} s`)
  }
} finally {
  await stage.close()
}
for (const problem of problems) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

/** Returns how many incidents there are more. */
async function judge(
  name: string,
  of: string,
  { strike, before }: { readonly strike: () => Promise<void>; readonly before: number },
): Promise<number> {
  const fromMs = Date.now()
  await strike()
  const untilMs = Date.now()
  await settled(before)
  const all = (await read()).incidents
  const found = all.slice(0, all.length - before)
  check(found.length === 1, `${name}: ${JSON.stringify(found)}`)
  for (const { class: seen, state, reason, started_at, recovered_at, seconds } of found) {
    const startedLate = (Date.parse(started_at) - fromMs) / 1_000
    const recoveredLate = (Date.parse(recovered_at ?? '') - untilMs) / 1_000
    say(
      `${name}: ${seen} (${reason}), began ${startedLate.toFixed(1)} s after the fault, ended ` +
        `${recoveredLate.toFixed(1)} s after it was over, lasted ${seconds.toFixed(1)} s`,
    )
    check(seen === of && state === 'recovered', `${name}: ${seen}, ${state}`)
    check(-earlySecondsMax < startedLate && startedLate < 5, `${name}: began ${startedLate} s late`)
    check(Math.abs(recoveredLate) < lateSecondsMax, `${name}: ended ${recoveredLate} s late`)
  }
  return found.length
}

async function settled(before: number): Promise<void> {
  const deadline = Date.now() + settleMsMax
  while (Date.now() < deadline) {
    await Bun.sleep(500)
    const { incidents } = await read().catch(() => ({ incidents: [] }))
    const isOver = incidents.every(({ state }) => state !== 'open')
    if (incidents.length > before && isOver) break
  }
  // One that is told late is counted too.
  await Bun.sleep(quietMs)
}

async function read(): Promise<z.infer<typeof page>> {
  const answer = await fetch(`${stage.url}/internal/incidents`, {
    headers: { authorization: `Bearer ${stage.token}` },
    signal: AbortSignal.timeout(5_000),
  })
  return page.parse(await answer.json())
}

function check(isKept: boolean, promise: string): void {
  if (!isKept) problems.push(promise)
}
