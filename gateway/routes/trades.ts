import { z } from 'zod'
import type { TradeStore } from '#core/score/postgres-trade-store.ts'
import { optionalTradeColumns, tradeColumns, tradeRowSchema } from '#core/score/trade.ts'
import { readTrades, type TradeFormat } from '#core/score/trade-reader.ts'
import { answer } from '../answer.ts'
import { streamBody } from '../body.ts'
import { callerOf } from '../context.ts'
import { defineRoute, type Route } from '../route.ts'

/** One upload: about 100,000 rows of 600 bytes, which stage in seconds. */
const uploadBytesMax = 67_108_864
const uploadRowsMax = 100_000
/** Clocks of callers and chain may be ahead of ours by this much. */
const clockSkewMs = 300_000

const formats: Readonly<Record<string, TradeFormat>> = {
  'application/x-ndjson': 'ndjson',
  'text/csv': 'csv',
}

const ingestedSchema = z.strictObject({
  id: z.uuid(),
  rows: z.int().nonnegative(),
  stored: z.int().nonnegative(),
  duplicates: z.int().nonnegative(),
})

/** Swaps come in by thousands; scoring jobs then name only the wallet. */
export function tradeRoutes(deps: {
  readonly trades: TradeStore
  readonly now: () => Date
}): readonly Route[] {
  const { trades, now } = deps
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/trades',
      zone: 'v1',
      scope: 'trades:write',
      operationId: 'ingest-trades',
      summary: 'Ingest swaps, all or none',
      description: `One swap per line as JSON, or CSV whose first line names the columns ${tradeColumns.join(', ')} (${[...optionalTradeColumns].join(', ')} may be left out). At most ${uploadRowsMax} rows or ${uploadBytesMax} bytes, in any order. A row that is no valid swap refuses the whole upload and names its line and column. A swap whose wallet and signature are known is ignored, so the same upload can be sent again.`,
      body: streamBody({
        content: {
          'application/x-ndjson': { schema: tradeRowSchema },
          'text/csv': { schema: undefined },
        },
        bytesMax: uploadBytesMax,
      }),
      answers: {
        200: { description: 'All rows are stored or were known already', schema: ingestedSchema },
      },
      refusals: ['gateway.overloaded', 'database.unavailable'],
      async handle(c, { body }) {
        const batches = readTrades(body.bytes, {
          format: formats[body.mediaType] ?? 'ndjson',
          bytesMax: uploadBytesMax,
          rowsMax: uploadRowsMax,
          latestMs: now().getTime() + clockSkewMs,
          isOrderRequired: false,
        })
        return answer(c, 200, await trades.ingest(batches, callerOf(c)))
      },
    }),
  ]
}
