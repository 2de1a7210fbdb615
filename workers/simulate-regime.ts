import { setImmediate } from 'node:timers/promises'
import type { Processor } from '#core/job/processor.ts'
import { moneyOf } from '#core/order/amount.ts'
import { seedOf } from '#core/order/venue/seeded-random.ts'
import { generateBars } from '#core/replay/generate-bars.ts'
import { describeScenario, type ReplayResult } from '#core/replay/replay-result.ts'
import type { replayRules } from '#core/replay/replay-rules.ts'
import { runReplay } from '#core/replay/run-replay.ts'
import { type SimulateRegimePayload, simulateRegimeKind } from '#core/replay/simulate-kind.ts'

export type SimulateRegimeOptions = {
  /** By what an account of that size is run. */
  readonly rulesOf: typeof replayRules
}

/** Replays one scenario; the report is drawn from the result when somebody asks for it. */
export function simulateRegime({
  rulesOf,
}: SimulateRegimeOptions): Processor<SimulateRegimePayload, ReplayResult> {
  return {
    kind: simulateRegimeKind,
    async process({ jobId, payload }, signal) {
      const { scenario, strategy, vix, bars } = payload
      // A second attempt replays the same bars.
      const seed = payload.seed ?? seedOf(0, jobId)
      const cash = moneyOf(payload.cash)
      const result = await runReplay({
        source: generateBars({ scenario, seed, vix, bars }),
        ...{ cash, strategy, seed, rules: rulesOf(cash) },
        described: describeScenario(scenario, { vix }),
        onProgress: async () => {
          // A replay holds the event loop; the job's lock is renewed in between.
          await setImmediate()
          signal.throwIfAborted()
        },
      })
      const { account, risk, manifest } = result
      const details = { seed, sha256: manifest.sha256, equity: account.equity, risk }
      return { result, details }
    },
  }
}
