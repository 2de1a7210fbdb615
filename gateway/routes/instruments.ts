import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { symbolSchema } from '#core/market/ingest-row.ts'
import {
  instrumentChangeSchema,
  instrumentDocument,
  type MarketSettings,
  marketChangeSchema,
  marketSettingsDocument,
} from '#core/market/postgres-market-settings.ts'
import { marketClocks } from '#core/market/postgres-market-store.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf } from '../context.ts'
import { defineRoute, type Route } from '../route.ts'

const instrumentPath = '/internal/trading/instruments/:symbol'
const marketPath = '/internal/trading/market/:clock'
const instrumentParams = z.strictObject({ symbol: symbolSchema })
const marketParams = z.strictObject({ clock: z.enum(marketClocks) })

type Dependencies = { readonly settings: MarketSettings }

/** What operators set of instruments and markets; each change commits with its audit record. */
export function instrumentRoutes({ settings }: Dependencies): readonly Route[] {
  return [
    ...[readInstrumentRoute(settings), setInstrumentRoute(settings)],
    ...[readMarketRoute(settings), setMarketRoute(settings)],
  ]
}

function readInstrumentRoute(settings: MarketSettings): Route {
  return defineRoute({
    method: 'GET',
    path: instrumentPath,
    zone: 'internal',
    scope: 'trading:read',
    operationId: 'get-instrument',
    summary: 'How a symbol may be traded',
    params: instrumentParams,
    answers: { 200: { description: 'The instrument', schema: instrumentDocument } },
    refusals: ['market.not_found', 'database.unavailable'],
    async handle(c, { params: { symbol } }) {
      const instrument = await settings.instrument(symbol)
      if (instrument !== undefined) return answer(c, 200, instrument)
      const detail = `${symbol} was neither ingested nor set.`
      throw new PosternError('market.not_found', { detail })
    },
  })
}

function setInstrumentRoute(settings: MarketSettings): Route {
  return defineRoute({
    method: 'PUT',
    path: instrumentPath,
    zone: 'internal',
    scope: 'trading:admin',
    operationId: 'set-instrument',
    summary: 'Set how a symbol may be traded',
    description:
      'What the body leaves out stays as it is. A symbol that is not known becomes known.',
    params: instrumentParams,
    body: jsonBody(instrumentChangeSchema, { example: { sector: 'Energy', isShortable: false } }),
    answers: { 200: { description: 'The instrument as it is now', schema: instrumentDocument } },
    refusals: ['database.unavailable'],
    handle: async (c, { params, body }) =>
      answer(c, 200, await settings.setInstrument(params.symbol, body, callerOf(c))),
  })
}

function readMarketRoute(settings: MarketSettings): Route {
  return defineRoute({
    method: 'GET',
    path: marketPath,
    zone: 'internal',
    scope: 'trading:read',
    operationId: 'get-market',
    summary: 'A market: its time, its index and its breaker',
    params: marketParams,
    answers: { 200: { description: 'The market', schema: marketSettingsDocument } },
    refusals: ['database.unavailable'],
    handle: async (c, { params }) => answer(c, 200, await settings.market(params.clock)),
  })
}

function setMarketRoute(settings: MarketSettings): Route {
  return defineRoute({
    method: 'PUT',
    path: marketPath,
    zone: 'internal',
    scope: 'trading:admin',
    operationId: 'set-market',
    summary: "Name a market's index and its volatility",
    description:
      'What the body leaves out stays as it is; null takes a name away: a market without index has no market-wide breaker. Another index starts with a breaker that knows nothing.',
    params: marketParams,
    body: jsonBody(marketChangeSchema, { example: { indexSymbol: 'SPX' } }),
    answers: { 200: { description: 'The market as it is now', schema: marketSettingsDocument } },
    refusals: ['database.unavailable'],
    handle: async (c, { params, body }) =>
      answer(c, 200, await settings.setMarket(params.clock, body, callerOf(c))),
  })
}
