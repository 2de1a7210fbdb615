import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { type SendSpans, spanBuffer } from '#core/trace/span-buffer.ts'
import { openTracing, type Tracing } from '#core/trace/tracing.ts'
import { memoryGateway } from '../gateway/memory-gateway.ts'
import { type Figure, inTurns, printFigures } from './figures.ts'

/**
 * Processor time of a request that accepts a job, through the whole gateway with its stores in memory:
 * without tracing, and with a share of requests traced, their spans written as OTLP and thrown away.
 *
 *   node ci/with-bun.mjs test/bench/trace.ts [--json]
 */
const rounds = 15
const requests = 4_000
/** Microseconds that tracing may add to the average request. */
const addedMax = { none: 3, tenth: 8, all: 40 } as const
const samples = { none: 0, tenth: 0.1, all: 1 } as const

let spans = 0
let bytes = 0
const send: SendSpans = (some) => {
  spans += some.length
  bytes += JsonTraceSerializer.serializeRequest([...some])?.length ?? 0
  return Promise.resolve({ fate: 'taken', refused: 0 })
}

function tracingOf(sample: number) {
  const buffer = spanBuffer({ send, metrics: createMetrics(), log: silentLog() })
  const tracing = openTracing({ sample, resource: {}, onEnd: buffer.add })
  return { tracing, close: buffer.close }
}

/** Microseconds of processor time for one request. */
async function microseconds(
  tracing: Tracing | undefined,
  close: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const world = memoryGateway({ requests: 2 * requests, overrides: { tracing } })
  const post = async () => {
    const answer = await world.post('/v1/jobs/score-wallet', { payload: { wallet: 'w1' } })
    if (answer.status !== 202) throw new Error(`answered ${answer.status}`)
  }
  for (let warm = 0; warm < requests / 4; warm++) await post()
  const before = process.cpuUsage()
  for (let at = 0; at < requests; at++) await post()
  await close()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / requests
}

async function traced(sample: number): Promise<number> {
  const { tracing, close } = tracingOf(sample)
  return await microseconds(tracing, close)
}

const turns = await inTurns(rounds, {
  off: () => microseconds(undefined),
  none: () => traced(samples.none),
  tenth: () => traced(samples.tenth),
  all: () => traced(samples.all),
})

const figures = (['none', 'tenth', 'all'] as const).map((name): Figure => {
  const baseline = turns.baseline(name, 'off', 'off, in all')
  return {
    name: `tracing of ${samples[name] * 100} % adds to a request`,
    unit: 'µs',
    ours: (baseline.ratio - 1) * baseline.value,
    baseline,
    required: { valueMax: addedMax[name] },
  }
})
process.stderr.write(`  ${spans} spans, ${Math.round(bytes / spans)} bytes each\n`)
process.exitCode = printFigures(figures) ? 0 : 1
