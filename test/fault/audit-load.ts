import { z } from 'zod'
import { base58, randomNumbers } from '#test/score/synthetic-wallets.ts'
import { type AuditStage, type Side, until } from './audit-stage.ts'
import { say } from './stage.ts'

const gatewaysCount = 4
const workersCount = 4
const clientsCount = 4
const batchJobs = 1_000
/** Accepted and not ended; a small log is not to end with a long queue. */
const openJobs = { min: 1_000, max: 12_000, share: 1 / 40 }
const requestMsMax = 15_000
const endMsMax = 300_000
/** Milliseconds between two blows, and how long a writer is stopped. */
const blowMs = { min: 1_500, max: 5_000 }
const stopMs = { min: 300, max: 8_000 }
/** Refusals further apart than the second in which like ones are folded into one record. */
const refusalMs = 2_500

const accepted = z.object({ jobs: z.array(z.object({ id: z.uuid() })) })

export type Acknowledged = {
  /** Jobs answered with 202. */
  readonly jobs: ReadonlySet<string>
  /** Requests answered with 401. */
  readonly refusals: readonly string[]
}

export type Load = {
  readonly acknowledged: Acknowledged
  /** Resolves once the log has so many entries. */
  reached(entries: number): Promise<void>
  /** Stops accepting, waits for every job, stops the writers with SIGTERM. Returns what was done to them. */
  end(): Promise<string>
}

type Writer = { readonly start: () => Promise<Side>; side: Side; isStruck: boolean }

/** Eight writers under load, of whom one after the other is killed or stopped for a while. */
export async function startLoad(
  stage: AuditStage,
  { records, seed }: { readonly records: number; readonly seed: number },
): Promise<Load> {
  const gateways = await Promise.all(Array.from({ length: gatewaysCount }, () => open(stage.serve)))
  const workers = await Promise.all(Array.from({ length: workersCount }, () => open(stage.work)))
  const refusals: string[] = []
  const acknowledged = { jobs: new Set<string>(), refusals }
  const openJobsMax = Math.min(openJobs.max, Math.max(openJobs.min, records * openJobs.share))
  const state = { isOver: false, openJobs: 0, openJobsMax, repeated: 0 }
  const blows = strikeWriters([...gateways, ...workers], randomNumbers(seed), state)
  const watch = watchJobs(stage, state)
  const clients = Array.from({ length: clientsCount }, (_, at) =>
    runClient({ stage, gateways, state, jobs: acknowledged.jobs, seed: seed + at + 1, at }),
  )
  const stranger = runStranger(gateways, state, refusals)
  const all = Promise.all([blows.done, watch, stranger, ...clients])
  // Told by whoever waits for the load next.
  all.catch(() => undefined)
  return {
    acknowledged,
    async reached(entries) {
      let told = performance.now()
      while ((await logSize(stage)) < entries) {
        await Promise.race([Bun.sleep(200), all])
        if (performance.now() - told < 10_000) continue
        told = performance.now()
        say(`  ${await logSize(stage)} entries, ${acknowledged.jobs.size} jobs accepted`)
      }
    },
    async end() {
      state.isOver = true
      await all
      await until('every job ended', endMsMax, async () => (await countOpenJobs(stage)) === 0)
      await Promise.all([...gateways, ...workers].map(({ side }) => side.stop()))
      return `${blows.told()}; ${state.repeated} requests were repeated`
    },
  }
}

async function open(start: () => Promise<Side>): Promise<Writer> {
  return { start: () => start(), side: await start(), isStruck: false }
}

type State = {
  isOver: boolean
  openJobs: number
  readonly openJobsMax: number
  repeated: number
}

function strikeWriters(writers: readonly Writer[], random: () => number, state: State) {
  let kills = 0
  let stops = 0
  const between = ({ min, max }: { readonly min: number; readonly max: number }) =>
    min + random() * (max - min)

  async function strike(writer: Writer, isKill: boolean, forMs: number): Promise<void> {
    writer.isStruck = true
    if (isKill) {
      kills++
      await writer.side.kill()
      writer.side = await writer.start()
    } else {
      stops++
      writer.side.signal('SIGSTOP')
      await Bun.sleep(forMs)
      writer.side.signal('SIGCONT')
    }
    writer.isStruck = false
  }

  async function run(): Promise<void> {
    const underWay: Promise<void>[] = []
    while (!state.isOver) {
      await Bun.sleep(between(blowMs))
      const writer = writers[Math.floor(random() * writers.length)]
      const [isKill, forMs] = [random() < 0.5, between(stopMs)]
      if (writer !== undefined && !writer.isStruck) underWay.push(strike(writer, isKill, forMs))
    }
    await Promise.all(underWay)
  }

  return { done: run(), told: () => `kill -9: ${kills}, SIGSTOP and SIGCONT: ${stops}` }
}

async function watchJobs(stage: AuditStage, state: State): Promise<void> {
  while (!state.isOver) {
    state.openJobs = await countOpenJobs(stage)
    await Bun.sleep(200)
  }
}

async function countOpenJobs({ sql }: AuditStage): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from postern_job where finished_at is null`
  return row?.count ?? 0
}

export async function logSize({ sql }: AuditStage): Promise<number> {
  const [row] = await sql<{ size: number }[]>`
    select size::integer as size from postern_audit_head`
  return row?.size ?? 0
}

/** Repeats each batch under its key, at one gateway after the other, until it is answered with 202. */
async function runClient(client: {
  readonly stage: AuditStage
  readonly gateways: readonly Writer[]
  readonly state: State
  readonly jobs: Set<string>
  readonly seed: number
  readonly at: number
}): Promise<void> {
  const { stage, gateways, state, jobs } = client
  const random = randomNumbers(client.seed)
  let turn = client.at
  while (!state.isOver) {
    if (state.openJobs > state.openJobsMax) {
      await Bun.sleep(50)
      continue
    }
    const body = batchBody(random)
    const headers = {
      authorization: `Bearer ${stage.token}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    }
    for (let ids = await postBatch(); ; ids = await postBatch()) {
      for (const id of ids ?? []) jobs.add(id)
      if (ids !== undefined) break
      state.repeated++
      await Bun.sleep(100)
    }
    async function postBatch(): Promise<readonly string[] | undefined> {
      const url = `${gateways[turn++ % gateways.length]?.side.url}/v1/jobs`
      const signal = AbortSignal.timeout(requestMsMax)
      const answer = await fetch(url, { method: 'POST', headers, body, signal }).catch(
        () => undefined,
      )
      const text = await answer?.text().catch(() => undefined)
      if (answer === undefined || text === undefined) return undefined
      if (answer.status === 202) return accepted.parse(JSON.parse(text)).jobs.map(({ id }) => id)
      if (answer.status >= 500 || answer.status === 409) return undefined
      throw new Error(`refused: ${answer.status} ${text}`)
    }
  }
}

/** Scores of wallets that never traded: the cheapest real work. */
function batchBody(random: () => number): string {
  const jobs = Array.from({ length: batchJobs }, () => ({
    kind: 'score-wallet',
    payload: { wallet: base58(random, 32), endDate: '2025-06-01' },
  }))
  return JSON.stringify(jobs)
}

/** Somebody without a token. */
async function runStranger(
  gateways: readonly Writer[],
  state: State,
  refusals: string[],
): Promise<void> {
  for (let turn = 0; !state.isOver; turn++) {
    const url = `${gateways[turn % gateways.length]?.side.url}/v1/jobs/${crypto.randomUUID()}`
    const answer = await fetch(url, { signal: AbortSignal.timeout(requestMsMax) }).catch(
      () => undefined,
    )
    if (answer?.status === 401) refusals.push(answer.headers.get('x-request-id') ?? 'unnamed')
    await answer?.arrayBuffer().catch(() => undefined)
    await Bun.sleep(refusalMs / gatewaysCount)
  }
}
