import { z } from 'zod'
import { symbolSchema } from '#core/market/ingest-row.ts'
import { type MarketReader, signalDocument } from '#core/market/postgres-market-reader.ts'
import { strategies } from '#core/market/signals.ts'
import { answer } from '../answer.ts'
import { defineRoute, type Route } from '../route.ts'

export function signalRoutes({ reader }: { readonly reader: MarketReader }): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/signals/latest',
      zone: 'v1',
      scope: 'market:read',
      operationId: 'get-latest-signal',
      summary: 'The signal of a strategy for a symbol, as the newest data left it',
      description:
        'momentum: return from 252 to 21 bars ago; mean_reversion: distance from the mean of 20 bars in deviations; pairs: residual of the log price against another symbol over 60 bars, in deviations. Without enough data the signal is to hold, and reasons say what is missing.',
      query: z.strictObject({ symbol: symbolSchema, strategy: z.enum(strategies) }),
      answers: { 200: { description: 'The signal', schema: signalDocument } },
      refusals: ['database.unavailable'],
      handle: async (c, { query }) =>
        answer(c, 200, await reader.signal(query.symbol, query.strategy)),
    }),
  ]
}
