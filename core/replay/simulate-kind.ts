import { z } from 'zod'
import { defineJobKind } from '../job/kind.ts'
import { amountSchema } from '../order/amount.ts'
import { replayResultSchema } from './replay-result.ts'
import { scenarioNames, seedMax, vixRange } from './scenario.ts'
import { replayStrategies } from './strategy.ts'

/** Twenty years of minutes: a few seconds of one core. */
const barsMax = 2_000_000

export const simulateRegimePayload = z.strictObject({
  scenario: z.enum(scenarioNames),
  strategy: z.enum(replayStrategies).default('buy_and_hold'),
  seed: z.int().min(0).max(seedMax).optional().meta({
    description: 'Of the generated bars; from the job id unless given, and in the result',
  }),
  vix: z.number().min(vixRange.low).max(vixRange.high).optional().meta({
    description: 'Volatility of the scenarios calm and volatility, annualised percent',
  }),
  bars: z.int().min(1).max(barsMax).optional().meta({
    description: 'How many bars to generate; the scenario’s own unless given',
  }),
  cash: amountSchema.default('100000').refine((text) => Number(text) >= 1, 'must be 1 or more'),
})
export type SimulateRegimePayload = z.infer<typeof simulateRegimePayload>

export const simulateRegimeKind = defineJobKind({
  name: 'simulate-regime',
  scope: 'jobs:write:regimes',
  summary: 'Replays a generated market through the desk’s checks, breakers and paper venue',
  payload: simulateRegimePayload,
  example: { scenario: 'flash-crash', strategy: 'buy_and_hold', seed: 7 },
  result: replayResultSchema,
  parameters: (payload) => payload,
  // It depends on nothing that could be away but the database its outcome goes to.
  attemptsMax: 3,
  backoff: { firstMs: 1_000, capMs: 30_000 },
  // The longest takes seconds on an idle core; a busy worker shares it.
  timeoutMs: 120_000,
  retentionDays: 30,
  priority: 20,
  // It keeps a core busy.
  concurrency: 1,
  schedulable: true,
})
