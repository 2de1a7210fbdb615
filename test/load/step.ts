import type { Step } from './breakpoint-verdicts.ts'
import { type K6Run, runK6 } from './k6.ts'
import { totalSeconds } from './measure/locust-history.ts'
import { exactTimes, sortedEntries } from './measure/record.ts'
import { exactPercentile } from './measure/response-times.ts'
import type { Signals } from './signals.ts'
import type { TradingStage } from './stage/stage.ts'

/** Seconds in which a request that was sent is answered or given up: none is left uncounted. */
const answerSeconds = 5
/** Time for workers to end what the step before has left. */
const settleMsMax = 60_000
/** Of a step: its start is not what it comes to. */
const settlingPart = 0.2

export type StepOptions = {
  readonly program: string
  readonly stage: TradingStage
  readonly rate: number
  readonly seconds: number
  readonly users: number
  readonly signals: Signals
}

/** Offers one rate, once everything before it has ended. */
export async function playStep(options: StepOptions): Promise<Step> {
  const { program, stage, seconds, users, signals } = options
  const rate = Math.max(1, Math.round(options.rate))
  await settled(stage)
  const run = await runK6(program, {
    ...{ workload: 'breakpoint', host: `${stage.url}/v1`, tokensFile: stage.tokensFile, seconds },
    onStart: signals.passTo,
    values: {
      ...{ RATE: String(rate), USERS: String(users) },
      ...{ TIMEOUT: `${answerSeconds}s`, STOP_SECONDS: String(answerSeconds + 1) },
    },
  })
  return stepOf(run, rate, seconds)
}

function stepOf(run: K6Run, rate: number, seconds: number): Step {
  const entries = sortedEntries(run.record)
  const sent = entries.reduce((sum, { count }) => sum + count, 0)
  // What is answered behind the end of the step was not achieved in its time.
  const first = Math.ceil(run.startMs / 1_000 + seconds * settlingPart)
  const end = Math.floor(run.startMs / 1_000 + seconds)
  const inTime = [...totalSeconds(run.record)].filter(([at]) => at >= first && at < end)
  const good = inTime.reduce((sum, [, { count, failures }]) => sum + count - failures, 0)
  const answered = (statuses: readonly number[]) =>
    entries.reduce(
      (sum, one) => statuses.reduce((of, status) => of + (one.statuses.get(status) ?? 0), sum),
      0,
    )
  const refused = answered([429, 503])
  const errors = sent - refused - answered([200, 201])
  return {
    rate,
    heldPart: sent / (rate * seconds),
    goodput: good / Math.max(1, end - first),
    refused: refused / seconds,
    errors: errors / seconds,
    p99Ms: exactPercentile(exactTimes(entries), 0.99),
  }
}

async function settled({ sql }: TradingStage): Promise<void> {
  const deadline = Date.now() + settleMsMax
  for (;;) {
    const [left] = await sql<{ jobs: number }[]>`
      select count(*)::integer as jobs from postern_job where finished_at is null`
    if ((left?.jobs ?? 0) < 10 || Date.now() > deadline) return
    await Bun.sleep(250)
  }
}
