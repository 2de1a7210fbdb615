import { expect, test } from 'bun:test'
import { z } from 'zod'
import { postgresMarketReader } from '#core/market/postgres-market-reader.ts'
import { postgresMarketSettings } from '#core/market/postgres-market-settings.ts'
import { instrumentRoutes } from '#gateway/routes/instruments.ts'
import { marketDataRoutes } from '#gateway/routes/market-data.ts'
import { signalRoutes } from '#gateway/routes/signals.ts'
import { memoryGateway, problemIn } from '#test/gateway/memory-gateway.ts'
import { fileWorld } from '../order/desk/file-world.ts'
import { index, indexDay, now, nowMs, openMarketWorld, quoteRow } from './ingest-world.ts'

const world = await fileWorld(openMarketWorld)
const reader = postgresMarketReader({ sql: world.gateway })
const { journal, ingestBatches: ingest } = world
const settings = postgresMarketSettings({ sql: world.gateway, journal, now })
const routes = [
  ...marketDataRoutes({ ingest, reader, now }),
  ...signalRoutes({ reader }),
  ...instrumentRoutes({ settings }),
]
const gateway = memoryGateway({ overrides: { routes, access: tradingAccess() } })

/** The token `all` may do all that is asked here. */
function tradingAccess() {
  const { access } = memoryGateway()
  const scopes = ['market:read', 'market:write', 'trading:read', 'trading:admin']
  return {
    ...access,
    async authenticate(authorization: string | undefined) {
      const principal = await access.authenticate(authorization)
      return principal.subject === 'all' ? { ...principal, scopes: new Set(scopes) } : principal
    },
  }
}

const upload = (body: string | ReadableStream<Uint8Array>, query = '', type = 'text/csv') =>
  gateway.request(`/v1/market-data${query}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  })
const put = (path: string, body: unknown) =>
  gateway.request(path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const get = async (path: string) => {
  const response = await gateway.request(path)
  return {
    status: response.status,
    body: z.record(z.string(), z.unknown()).parse(await response.json()),
  }
}
const header = 'date,open,high,low,close,volume'
const stored = async () =>
  (await world.sql`select count(*)::integer as n from postern_bar`)[0]?.['n']

test.each([
  ['POST', '/v1/market-data'],
  ['GET', '/v1/market-data/AAPL'],
  ['GET', '/v1/market-data/AAPL/l2'],
  ['GET', '/v1/signals/latest?symbol=AAPL&strategy=pairs'],
  ['GET', '/internal/trading/instruments/AAPL'],
  ['PUT', '/internal/trading/instruments/AAPL'],
  ['GET', '/internal/trading/market/live'],
  ['PUT', '/internal/trading/market/live'],
])('%s %s asks for its scope', async (method, path) => {
  const problem = await problemIn(await gateway.request(path, { method, as: 'none' }))
  expect(problem.code).toBe('access.scope_missing')
})

test('an upload with one bad row is refused by row and column and stores nothing', async () => {
  const lines = [header, '2024-02-28,1,2,1,1,5', '2024-02-29,1,2,1,2.5,5', '2024-02-30,1,2,1,1,5']
  const problem = await problemIn(await upload(lines.join('\n'), '?symbol=AAPL'))
  expect(problem).toMatchObject({ status: 422, code: 'request.body_invalid' })
  expect(problem.errors).toEqual([
    { pointer: '/rows/1/close', detail: 'line 3, column close: must lie between low and high' },
    { pointer: '/rows/2/date', detail: 'line 4, column date: must be a date such as 2020-03-16' },
  ])
  expect(await stored()).toBe(0)
})

test('an upload with 100,001 rows is refused and leaves nothing', async () => {
  const line = '2024-02-28,1,2,1,1,5\n'
  const response = await upload(`${header}\n${line.repeat(100_001)}`, '?symbol=AAPL')
  expect((await problemIn(response)).code).toBe('request.body_too_large')
  expect(await stored()).toBe(0)
  expect(await world.sql`select from postern_market_staging limit 1`).toHaveLength(0)
})

test('an upload past 64 MiB is refused while it streams', async () => {
  const piece = new TextEncoder().encode(`${' '.repeat(4_000)}\n`.repeat(256))
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1
      if (sent > 100) controller.close()
      else controller.enqueue(piece)
    },
  })
  const response = await upload(endless, '', 'application/x-ndjson')
  expect((await problemIn(response)).code).toBe('request.body_too_large')
  expect(sent).toBeLessThan(80)
})

test('a sender who is gone in mid-upload leaves nothing behind', async () => {
  const rows = Array.from({ length: 1_500 }, (_, n) =>
    JSON.stringify({ ...quoteLine, symbol: `S${n % 9}` }),
  )
  let isSent = false
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (isSent) controller.error(new Error('connection reset'))
      else controller.enqueue(new TextEncoder().encode(`${rows.join('\n')}\n`))
      isSent = true
    },
  })
  expect((await upload(broken, '', 'application/x-ndjson')).status).toBeGreaterThanOrEqual(400)
  for (const table of ['postern_market_staging', 'postern_instrument', 'postern_job']) {
    expect(await world.sql`select from ${world.sql(table)}`).toHaveLength(0)
  }
})
const quoteLine = {
  ...{ time: '2024-03-01T18:59:00Z', bid: '9.99', ask: '10.01' },
  ...{ bid_size: 1, ask_size: 2 },
}

test.each([
  ['/v1/market-data/aapl', 400],
  ['/v1/market-data/AAPL?interval=2d', 400],
  ['/v1/market-data/AAPL?interval=1', 400],
  ['/v1/market-data/AAPL?limit=0', 400],
  ['/v1/market-data/AAPL?limit=1001', 400],
  ['/v1/market-data/AAPL?from=yesterday', 400],
  ['/v1/market-data/AAPL?cursor=x', 400],
  ['/v1/market-data/AAPL/l2?depth=5', 400],
  ['/v1/signals/latest?symbol=AAPL', 400],
  ['/v1/signals/latest?symbol=AAPL&strategy=luck', 400],
  ['/internal/trading/market/both', 400],
])('%s is no valid question', async (path, status) => {
  const problem = await problemIn(await gateway.request(path))
  expect(problem).toMatchObject({ status, code: 'request.query_invalid' })
})

test.each([
  '/v1/market-data/NONE',
  '/v1/market-data/NONE/l2',
  '/internal/trading/instruments/NONE',
])('%s is not found while nothing is known of the symbol', async (path) => {
  expect((await problemIn(await gateway.request(path))).code).toBe('market.not_found')
})

test('without data a signal is to hold, and says why', async () => {
  const { status, body } = await get('/v1/signals/latest?symbol=NONE&strategy=momentum')
  expect(status).toBe(200)
  expect(body).toMatchObject({ symbol: 'NONE', strategy: 'momentum', signal: 'hold', value: null })
  expect(body['reasons']).toEqual(['no bars of this symbol have been applied'])
})

test('the S&P 500 is uploaded, applied and read back with its signal', async () => {
  const csv = await Bun.file('node_modules/vega-datasets/data/sp500-2000.csv').text()
  const ingested = await upload(csv, '?symbol=SPX', 'text/csv; charset=utf-8')
  expect(await ingested.json()).toMatchObject({ rows: 5_105, stored: 5_105, corrected: 0 })
  expect(await (await upload(csv, '?symbol=SPX')).json()).toMatchObject({ duplicates: 5_105 })
  await world.apply(['SPX'])
  const { body } = await get('/v1/market-data/SPX?limit=2')
  expect(body).toMatchObject({
    symbol: 'SPX',
    last: { price: '2874.560059', time: '2020-04-17T20:00:00.000Z' },
    reference: { price: '2874.560059', source: 'last' },
    interval: '1d',
    bars: [{ time: '2020-04-17T20:00:00.000Z' }, { time: '2020-04-16T20:00:00.000Z' }],
  })
  const next = await get(`/v1/market-data/SPX?limit=1&cursor=${body['next']}`)
  expect(next.body['bars']).toMatchObject([{ time: '2020-04-15T20:00:00.000Z' }])
  const signal = await get('/v1/signals/latest?symbol=SPX&strategy=momentum')
  expect(signal.body).toMatchObject({ signal: 'sell', interval: '1d', reasons: [] })
})

test('bars are read by length and within times, both ends included', async () => {
  await world.ingest(indexDay, index(1, '10'), index(2, '11'), index(3, '12'))
  const times = async (query: string) => {
    const { body } = await get(`/v1/market-data/SPX?${query}`)
    return z
      .array(z.object({ time: z.string() }))
      .parse(body['bars'])
      .map(({ time }) => time.slice(11, 16))
  }
  expect(await times('')).toEqual(['14:33', '14:32', '14:31'])
  expect(await times('interval=1d')).toEqual(['21:00'])
  expect(await times('interval=5m')).toEqual([])
  expect(await times('from=2024-03-01T14:32:00Z')).toEqual(['14:33', '14:32'])
  expect(await times('to=2024-03-01T14:32:00Z')).toEqual(['14:32', '14:31'])
})

test('a page that was read before shows the bars that came or were corrected since', async () => {
  const closes = async () => {
    const { body } = await get('/v1/market-data/SPX?limit=2')
    return z
      .array(z.object({ close: z.string() }))
      .parse(body['bars'])
      .map(({ close }) => close)
  }
  await world.ingest(index(1, '10'))
  expect(await closes()).toEqual(['10'])
  await world.ingest(index(2, '11'))
  expect(await closes()).toEqual(['11', '10'])
  await world.ingest(index(1, '9'))
  expect(await closes()).toEqual(['11', '9'])
  // What has no bars changes no page.
  await world.ingest(quoteRow({ symbol: 'SPX' }))
  expect(await closes()).toEqual(['11', '9'])
})

test('of more pages than are kept each is the one that was asked for', async () => {
  await world.ingest(index(1, '10'), index(2, '11'))
  const limits = Array.from({ length: 100 }, (_, at) => at + 1)
  for (const limit of [...limits, ...limits]) {
    const { body } = await get(`/v1/market-data/SPX?limit=${limit}`)
    expect(body['bars']).toHaveLength(Math.min(2, limit))
  }
})

test('a quote is read with mid and spread, its book by its own route', async () => {
  const empty = { symbol: 'AAPL', time: null, bids: [], asks: [] }
  await world.ingest(quoteRow({ bid: '9.98' }))
  expect((await get('/v1/market-data/AAPL/l2')).body).toEqual(empty)
  await world.ingest(quoteRow({ time: nowMs + 1, levels: { bids: [['9.99', 5]], asks: [] } }))
  const { body } = await get('/v1/market-data/AAPL')
  expect(body).toMatchObject({
    quote: { bid: '9.99', ask: '10.01', bidSize: 100, askSize: 200, mid: '10', spread: '0.02' },
    statistics: { medianSpread: '0.02', meanBarVolume: null },
    bars: [],
  })
  const book = {
    symbol: 'AAPL',
    time: new Date(nowMs + 1).toISOString(),
    bids: [['9.99', 5]],
    asks: [],
  }
  expect((await get('/v1/market-data/AAPL/l2')).body).toEqual(book)
})

test.each([
  ['instruments/AAPL', { lot: '0' }, '/lot'],
  ['instruments/AAPL', { lot: '-1' }, '/lot'],
  ['instruments/AAPL', { luldTier: 3 }, '/luldTier'],
  ['instruments/AAPL', { price: '1' }, '/price'],
  ['instruments/AAPL', { haltedUntil: 'soon' }, '/haltedUntil'],
  ['instruments/AAPL', { sector: '' }, '/sector'],
  ['market/live', { indexSymbol: 'spx' }, '/indexSymbol'],
  ['market/live', { time: 'now' }, '/time'],
])('PUT %s %j is refused by its member', async (path, body, pointer) => {
  const problem = await problemIn(await put(`/internal/trading/${path}`, body))
  expect(problem).toMatchObject({ status: 422, code: 'request.body_invalid' })
  expect(problem.errors?.map((each) => each.pointer)).toEqual([pointer])
  expect(await world.sql`select from postern_instrument`).toHaveLength(0)
  expect(await world.records('instrument.changed')).toHaveLength(0)
})

test('an instrument is set member by member, on record with what it was before', async () => {
  const path = '/internal/trading/instruments/AAPL'
  const first = { sector: 'Technology', lot: '0.5', haltedUntil: '2024-03-01T20:00:00.000Z' }
  const response = await put(path, first)
  const defaults = { isTradable: true, isRestricted: false, isShortable: true, luldTier: 1 }
  const expected = { symbol: 'AAPL', quantityMin: '1', ...defaults, ...first }
  expect(await response.json()).toEqual(expected)
  await put(path, { isRestricted: true, sector: null })
  expect((await get(path)).body).toEqual({ ...expected, isRestricted: true, sector: null })
  expect(await world.records('instrument.changed')).toMatchObject([
    { target: 'instrument/AAPL', details: { after: first } },
    { details: { before: { isRestricted: false }, after: { isRestricted: true } } },
  ])
})

test('a new index starts with a breaker that knows nothing, a new volatility leaves it', async () => {
  await world.ingest(indexDay, index(1, '93'))
  await world.apply(['SPX'])
  const path = '/internal/trading/market/replay'
  const before = await get(path)
  expect(before.body).toMatchObject({ indexSymbol: 'SPX', breaker: { status: 'HALT' } })
  await put(path, { volatilitySymbol: 'VXX' })
  expect((await get(path)).body).toMatchObject({
    volatilitySymbol: 'VXX',
    breaker: { status: 'HALT' },
  })
  await put(path, { indexSymbol: null })
  expect((await get(path)).body).toMatchObject({ indexSymbol: null, breaker: null })
  const live = await get('/internal/trading/market/live')
  expect(live.body).toMatchObject({ indexSymbol: 'SPX', volatilitySymbol: 'VIX' })
  expect(await world.records('market.changed')).toHaveLength(3)
})
