import type { TradeStore } from '#core/score/postgres-trade-store.ts'
import { optionalTradeColumns, tradeColumns, tradeRowSchema } from '#core/score/trade.ts'
import { readTrades } from '#core/score/trade-reader.ts'
import { answer } from '../answer.ts'
import { callerOf } from '../context.ts'
import { defineRoute, type Route } from '../route.ts'
import { rowLimits, rowsBody, uploadedSchema, uploadSize } from '../row-upload.ts'

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
      description: `One swap per line as JSON, or CSV whose first line names the columns ${tradeColumns.join(', ')} (${[...optionalTradeColumns].join(', ')} may be left out). At most ${uploadSize}, in any order. A row that is no valid swap refuses the whole upload and names its line and column. A swap whose wallet and signature are known is ignored, so the same upload can be sent again.`,
      body: rowsBody(tradeRowSchema),
      answers: {
        200: { description: 'All rows are stored or were known already', schema: uploadedSchema },
      },
      refusals: ['gateway.overloaded', 'database.unavailable'],
      async handle(c, { body }) {
        const batches = readTrades(body.bytes, {
          ...rowLimits(body.mediaType, now()),
          isOrderRequired: false,
        })
        return answer(c, 200, await trades.ingest(batches, callerOf(c)))
      },
    }),
  ]
}
