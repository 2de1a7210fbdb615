import { join } from 'node:path'
import { startServer } from '#test/support/server-process.ts'
import type { Flags } from './flags.ts'
import type { K6Run } from './k6.ts'
import type { Profile } from './lib/profile.ts'
import { createdOrders, enqueuedScores } from './measure/answers.ts'
import {
  fetchHistogram,
  partWithin,
  quantileMs,
  requestsIn,
  since,
} from './measure/gateway-times.ts'
import { exactTimes, type Record as Samples, sortedEntries, totalOf } from './measure/record.ts'
import { exactPercentile } from './measure/response-times.ts'
import type { Player, Shape } from './play.ts'
import { bookLines, bookTables } from './report/book-report.ts'
import type { Table } from './report/page.ts'
import { type Books, closeBooks } from './stage/books.ts'
import { cpuText } from './stage/cpu-times.ts'
import { openRotatingStage } from './stage/rotating-stage.ts'
import { openLoadStage, type TradingStage } from './stage/stage.ts'
import {
  bookVerdicts,
  type ClientFigures,
  marketVerdicts,
  scoreVerdict,
  stageVerdicts,
  type Verdict,
} from './verdicts.ts'

export type StageResult = {
  readonly run: K6Run
  readonly summary: string
  readonly lines: readonly string[]
  readonly tables: readonly Table[]
  verdicts(client: ClientFigures): readonly Verdict[]
}

/** As long as the run, but no longer than it takes to see a p99. */
const stubSecondsMax = 60

export type OnStageOptions = {
  readonly flags: Flags
  readonly profile: Profile
  readonly shape: Shape
  readonly player: Player
  readonly say: (line: string) => void
}

/** The stub first, then Postern on a stage of its own, in the same minutes and by the same script. */
export async function runOnStage(options: OnStageOptions): Promise<StageResult> {
  const { flags, shape, player, profile, say } = options
  const stub = await playStub(options)
  const accounts = flags.accounts ?? shape.users
  const way = flags.stage ?? 'best'
  const opening = { accounts, symbols: profile.symbols, say }
  const isRotating = flags.workload === 'rotation-under-load'
  const rotating = isRotating ? await openRotatingStage(opening) : undefined
  const stage = rotating ?? (await openLoadStage({ ...opening, way }))
  try {
    const gateway = { url: stage.url, token: stage.operatorToken }
    const before = await fetchHistogram(gateway)
    const cpuBefore = await stage.cpu()
    say(`${shape.users} users for ${shape.seconds} s against ${stage.way}`)
    const rotations = rotating?.rotate()
    const run = await player.play(`${stage.url}/v1`, stage.tokensFile, { ownCancels: true })
    const rotated = await rotations?.stop()
    const histogram = since(before, await fetchHistogram(gateway))
    const cpuAfter = new Map([...(await stage.cpu()), ['k6', run.cpuMs]])
    const cpu = cpuText(cpuBefore, cpuAfter, requestsIn(histogram))
    await stage.feeder.stop()
    say('halting, and waiting for what is under way')
    const books = await closeBooks(stage.sql, gateway)
    return resultOf({ flags, stage, run, books, histogram, stub, shape, rotated, cpu })
  } finally {
    await stage.close()
  }
}

/** Exact p99 of the same script against a server that does nothing; undefined where not asked for. */
async function playStub({ flags, shape, player, say }: OnStageOptions): Promise<K6Run | undefined> {
  const seconds = flags.stubSeconds ?? Math.min(shape.seconds, stubSecondsMax)
  if (seconds === 0 || flags.workload === 'scoring') return undefined
  let port = ''
  const stub = await startServer({
    command: [process.execPath, join(import.meta.dir, 'stub.ts')],
    ready: /^stub on \d+/,
    onLine: (line) => {
      port = /^stub on (\d+)/.exec(line)?.[1] ?? port
    },
  })
  try {
    say(`${shape.users} users for ${seconds} s against a stub that does nothing`)
    const host = `http://127.0.0.1:${port}/v1`
    return await player.play(host, undefined, { seconds, ownCancels: true })
  } finally {
    await stub.stop('SIGTERM')
  }
}

/** Of all that were answered, over the whole run: users arrive in its first seconds. */
function rateOf({ record, startMs }: K6Run): string {
  const { count, lastMs } = totalOf(record)
  return (count / Math.max(1, (lastMs - startMs) / 1_000)).toFixed(0)
}

const p99Of = (record: Samples) => exactPercentile(exactTimes(sortedEntries(record)), 0.99)

function resultOf(seen: {
  readonly flags: Flags
  readonly stage: TradingStage
  readonly rotated: Verdict | undefined
  readonly cpu: string
  readonly run: K6Run
  readonly books: Books
  readonly histogram: ReadonlyMap<number, number>
  readonly stub: K6Run | undefined
  readonly shape: Shape
}): StageResult {
  const { flags, stage, run, books, histogram, stub, shape, rotated, cpu } = seen
  const gatewayP99Ms = quantileMs(histogram, 0.99)
  const stubP99Ms = stub === undefined ? undefined : p99Of(stub.record)
  const answered = createdOrders(run.record)
  const { taken, failed } = stage.feeder.counts
  const lines = [
    `p99: ${gatewayP99Ms.toFixed(1)} ms in the gateway, ${p99Of(run.record).toFixed(1)} ms at the client, ${stubP99Ms === undefined ? '–' : stubP99Ms.toFixed(1)} ms at the client of the stub`,
    `gateway: ${requestsIn(histogram)} requests of the load; p50 ${quantileMs(histogram, 0.5).toFixed(1)} ms, p95 ${quantileMs(histogram, 0.95).toFixed(1)} ms`,
    `requests a second: ${rateOf(run)}${stub === undefined ? '' : `, ${rateOf(stub)} against the stub`}`,
    `CPU of a request: ${cpu}`,
    `feeder: ${taken} quotes taken, ${failed} uploads not`,
    ...bookLines(books),
    `own orders cancelled: ${ownCancels(run.record)}`,
  ]
  return {
    run,
    summary: `Client, ${stage.way}, Redis and Postgres on one machine.`,
    lines,
    tables: bookTables(books),
    verdicts: (client) => [
      ...stageVerdicts({
        users: shape.users,
        ...{ client, stubP99Ms, gatewayP99Ms },
        partWithin100Ms: partWithin(histogram, 0.1),
      }),
      ...(flags.workload === 'scoring'
        ? [scoreVerdict(books, enqueuedScores(run.record), shape.users)]
        : marketVerdicts(books)),
      ...bookVerdicts(books, answered, shape.users),
      ...(rotated === undefined ? [] : [rotated]),
    ],
  }
}

/** 204 was asked of the venue, 409 came after the order's end. */
function ownCancels(record: Samples): string {
  const own = sortedEntries(record).find(({ name }) => name === '/orders/:id [DELETE own]')
  return own === undefined
    ? 'none'
    : [...own.statuses].map(([status, count]) => `${count} × ${status}`).join(', ')
}
