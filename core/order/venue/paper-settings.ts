import { z } from 'zod'
import { amountSchema, parseAmount } from '../amount.ts'
import { type PaperOptions, paperDefaults } from './paper-market.ts'

const basisPoints = z.int().min(0).max(10_000)
const chance = z.number().min(0).max(1)
/** A venue slower than that is one that is away. */
const latencyMsMax = 60_000
/** A week: data that are older are no market for anybody. */
const dataAgeMsMax = 604_800_000

/** How the paper venue treats one account, as an operator writes it; what is left out has its default. */
export const paperSettingsSchema = z.strictObject({
  mode: z.enum(['alpaca', 'strict']).optional().meta({
    description:
      '`alpaca`: fills where marketable, a tenth in part. `strict`: by the bars, within their volume',
  }),
  participation_bp: basisPoints.optional(),
  latency_ms: z.int().min(0).max(latencyMsMax).optional(),
  data_age_max_ms: z.int().min(0).max(dataAgeMsMax).optional(),
  fee_per_share: amountSchema.optional(),
  fee_bp: basisPoints.optional(),
  lose_ack: chance.optional().meta({
    description: 'How often an order is placed and its answer is lost, for rehearsals',
  }),
  lose_submit: chance.optional().meta({
    description: 'How often an order is lost with its answer, for rehearsals',
  }),
})

/** The chances of a loss are drawn from the venue's seed. */
export type PaperTerms = {
  readonly options: PaperOptions
  readonly loseAck: number
  readonly loseSubmit: number
}

/** Of an account's row; throws a `ZodError` for what no operator could have stored. */
export function paperTermsOf(
  settings: unknown,
  defaults: PaperOptions = paperDefaults,
): PaperTerms {
  const set = paperSettingsSchema.parse(settings)
  return {
    options: {
      mode: set.mode ?? defaults.mode,
      participationBasisPoints: set.participation_bp ?? defaults.participationBasisPoints,
      latencyMs: set.latency_ms ?? defaults.latencyMs,
      dataAgeMaxMs: set.data_age_max_ms ?? defaults.dataAgeMaxMs,
      feePerShare:
        set.fee_per_share === undefined ? defaults.feePerShare : parseAmount(set.fee_per_share),
      feeBasisPoints: set.fee_bp ?? defaults.feeBasisPoints,
    },
    loseAck: set.lose_ack ?? 0,
    loseSubmit: set.lose_submit ?? 0,
  }
}
