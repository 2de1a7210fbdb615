import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { intervalSchema } from '#core/market/bar-interval.ts'
import { readMarketRows } from '#core/market/ingest-reader.ts'
import { marketRowSchema, symbolSchema } from '#core/market/ingest-row.ts'
import type { MarketIngest } from '#core/market/postgres-market-ingest.ts'
import {
  bookDocument,
  type MarketReader,
  marketDocument,
} from '#core/market/postgres-market-reader.ts'
import { answer } from '../answer.ts'
import { callerOf } from '../context.ts'
import { instantParameter, integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'
import { rowLimits, rowsBody, uploadedSchema, uploadSize } from '../row-upload.ts'

const pageMax = 1_000
const pageDefault = 100

const ingestedSchema = uploadedSchema.extend({
  corrected: z.int().nonnegative(),
  symbols: z.array(z.string()),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  jobId: z.uuid().optional().meta({ description: 'The job that applies the rows to the market' }),
})

export type MarketDataDependencies = {
  readonly ingest: MarketIngest
  readonly reader: MarketReader
  readonly now: () => Date
}

/** Bars and quotes, in by thousands and out by pages. */
export function marketDataRoutes(deps: MarketDataDependencies): readonly Route[] {
  return [ingestRoute(deps), marketRoute(deps.reader), bookRoute(deps.reader)]
}

function ingestRoute({ ingest, now }: MarketDataDependencies): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/market-data',
    zone: 'v1',
    scope: 'market:write',
    operationId: 'ingest-market-data',
    summary: 'Ingest bars and quotes, all or none',
    description: `One bar or quote per line as JSON (a quote has bid and ask), or CSV whose first line names the columns: date or time, symbol, open, high, low, close, adjclose (not kept), volume for bars; time, symbol, bid, ask, bid_size, ask_size for quotes. A \`date\` is a bar of that trading day; a \`time\` is the start of a bar of the length in \`interval\`. A symbol in the query is that of every row. At most ${uploadSize}. A row that is no valid bar or quote refuses the whole upload and names its line and column. The same upload can be sent again; a bar that is known with other figures is corrected.`,
    query: z.strictObject({
      symbol: symbolSchema.optional(),
      interval: intervalSchema.optional(),
    }),
    body: rowsBody(marketRowSchema),
    answers: {
      200: { description: 'All rows are stored or were known already', schema: ingestedSchema },
    },
    refusals: ['gateway.overloaded', 'database.unavailable'],
    async handle(c, { body, query }) {
      const batches = readMarketRows(body.bytes, {
        ...rowLimits(body.mediaType, now()),
        symbol: query.symbol,
        intervalMs: query.interval,
      })
      return answer(c, 200, await ingest(batches, callerOf(c)))
    },
  })
}

const params = z.strictObject({ symbol: symbolSchema })

function marketRoute(reader: MarketReader): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/market-data/:symbol',
    zone: 'v1',
    scope: 'market:read',
    operationId: 'get-market-data',
    summary: 'What is known of a symbol: price, quote, statistics and a page of bars',
    params,
    query: z.strictObject({
      interval: intervalSchema.optional(),
      from: instantParameter.optional(),
      to: instantParameter.optional(),
      limit: integerParameter(1, pageMax).default(pageDefault),
      cursor: z
        .string()
        .regex(/^\d{1,14}$/, 'must be the next of a page')
        .optional(),
    }),
    answers: { 200: { description: 'The market of the symbol', schema: marketDocument } },
    refusals: ['market.not_found', 'database.unavailable'],
    async handle(c, { params: { symbol }, query }) {
      const { interval: intervalMs, from, to, limit, cursor } = query
      const filter = { symbol, intervalMs, from, to, limit, cursor }
      return answer(c, 200, (await reader.market(filter)) ?? refuseUnknown(symbol))
    },
  })
}

function bookRoute(reader: MarketReader): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/market-data/:symbol/l2',
    zone: 'v1',
    scope: 'market:read',
    operationId: 'get-order-book',
    summary: 'The book of a symbol as it was last sent',
    params,
    answers: { 200: { description: 'Price levels, best first', schema: bookDocument } },
    refusals: ['market.not_found', 'database.unavailable'],
    async handle(c, { params: { symbol } }) {
      return answer(c, 200, (await reader.book(symbol)) ?? refuseUnknown(symbol))
    },
  })
}

function refuseUnknown(symbol: string): never {
  const detail = `Nothing was ever ingested for ${symbol}.`
  throw new PosternError('market.not_found', { detail })
}
