import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { algorithmVersionSchema } from '#core/score/algorithm.ts'
import { defaultSelection } from '#core/score/defaults.ts'
import {
  rankedWalletSchema,
  type ScoreStore,
  storedScoreSchema,
} from '#core/score/postgres-score-store.ts'
import { addressSchema } from '#core/score/trade.ts'
import { costBasisSchema } from '#core/score/wallet-score.ts'
import { answer } from '../answer.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

const pageMax = 200
const pageDefault = 50
const cursorCharactersMax = 200

const selection = {
  algorithmVersion: algorithmVersionSchema.default(defaultSelection.algorithmVersion),
  costBasis: costBasisSchema.default(defaultSelection.costBasis),
}

const rankingSchema = z.strictObject({
  scores: z.array(rankedWalletSchema),
  next: z.string().optional().meta({ description: 'The cursor of the next page, if there is one' }),
})

/** Scores as they were last stored; a new one is a job of kind `score-wallet` or `score-cohort`. */
export function scoreRoutes({ scores }: { readonly scores: ScoreStore }): readonly Route[] {
  return [walletScoreRoute(scores), rankingRoute(scores)]
}

function walletScoreRoute(scores: ScoreStore): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/wallets/:address/score',
    zone: 'v1',
    scope: 'scores:read',
    operationId: 'get-wallet-score',
    summary: 'The newest score of a wallet, with everything it was made from',
    params: z.strictObject({ address: addressSchema }),
    query: z.strictObject(selection),
    answers: { 200: { description: 'The score', schema: storedScoreSchema } },
    refusals: ['score.not_found', 'database.unavailable'],
    async handle(c, { params, query }) {
      const score = await scores.find(params.address, query)
      if (score !== undefined) return answer(c, 200, score)
      const detail = 'This wallet has no stored score of that version; enqueue score-wallet.'
      throw new PosternError('score.not_found', { detail })
    },
  })
}

function rankingRoute(scores: ScoreStore): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/scores',
    zone: 'v1',
    scope: 'scores:read',
    operationId: 'list-scores',
    summary: 'Scored wallets, best first',
    query: z.strictObject({
      ...selection,
      min: z
        .string()
        .regex(/^(?:100|\d{1,2})(?:\.\d{1,10})?$/, 'must be a decimal from 0 to 100')
        .default('0')
        .meta({ description: 'The least trustScore' }),
      limit: integerParameter(1, pageMax).default(pageDefault),
      cursor: z.string().max(cursorCharactersMax).optional(),
    }),
    answers: { 200: { description: 'One page of the ranking', schema: rankingSchema } },
    refusals: ['database.unavailable'],
    async handle(c, { query }) {
      return answer(c, 200, await scores.rank({ ...query, cursor: query.cursor }))
    },
  })
}
