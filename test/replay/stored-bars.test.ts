import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { dayIntervalMs } from '#core/market/bar-interval.ts'
import { sessionOfDay } from '#core/market/session.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { readBars } from '#core/replay/read-bars.ts'
import { replayResultSchema } from '#core/replay/replay-result.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import { runReplay } from '#core/replay/run-replay.ts'
import { openStoredBars, type StoredBarsOptions } from '#core/replay/stored-bars.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { eventually } from '../integration/world.ts'
import { barsIn, cash, type TestBar } from './replay-world.ts'

setDefaultTimeout(60_000)

const realIndex = 'node_modules/vega-datasets/data/sp500-2000.csv'
const minuteMs = 60_000
/** More than two blocks of minutes, the first of them at the open of a Monday. */
const minutes = 9_000
const openMs = Date.parse('2024-03-04T14:30:00Z')

let url: string
let sql: ReturnType<typeof connectPostgres>
beforeAll(async () => {
  url = await (await sharedPostgres()).createDatabase()
  sql = connectPostgres({ url, mode: 'development', applicationName: 'test', max: 2 })
  await migrate({ sql, queue: 'redis' })
  await storeRealIndex()
  await sql`
    insert into postern_bar (symbol, interval_ms, time, open, high, low, close, volume, ingest)
    select 'AAPL', ${minuteMs}, ${new Date(openMs)}::timestamptz + n * interval '1 minute',
      100, 100 + n / 1e9, 99.000000001, 100, n, gen_random_uuid()
    from generate_series(1, ${minutes}) n`
})
afterAll(() => sql.end({ timeout: 1 }))

/** The file's days, at their closes as ingest puts them there. */
async function storeRealIndex() {
  const [, ...rows] = (await Bun.file(realIndex).text()).trim().split('\n')
  const days = rows.map((row) => {
    const [date, open, high, low, close, , volume] = row.split(',')
    return { at: sessionOfDay(date ?? '')?.closeMs, open, high, low, close, volume }
  })
  await sql`
    insert into postern_bar (symbol, interval_ms, time, open, high, low, close, volume, ingest)
    select 'SPX', ${dayIntervalMs}, to_timestamp(at / 1000),
      open, high, low, close, volume, gen_random_uuid()
    from jsonb_to_recordset(${JSON.stringify(days)}::text::jsonb)
      as row (at float8, open numeric, high numeric, low numeric, close numeric, volume float8)`
}

const base = {
  ...{ series: undefined, fromMs: undefined, beforeMs: undefined },
  ...{ vix: undefined, spreadBasisPoints: 2 },
}

async function take(change: Partial<StoredBarsOptions> & { readonly symbol: string }) {
  const source = await openStoredBars({ ...base, sql, intervalMs: minuteMs, ...change })
  const bars: TestBar[] = []
  const lengths: number[] = []
  for await (const block of source.blocks) {
    lengths.push(block.length)
    bars.push(...barsIn(block))
  }
  return { source, bars, lengths }
}

/** The command as a process of its own. */
async function backtest(args: readonly string[], databaseUrl: string = url) {
  const script = join(import.meta.dir, 'backtest-process.ts')
  const child = Bun.spawn([process.execPath, script, '--stored', ...args], {
    env: {
      ...process.env,
      POSTERN_MODE: 'development',
      ...(databaseUrl === '' ? {} : { POSTERN_DATABASE_URL: databaseUrl }),
    },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { code: await child.exited, out, err }
}

describe('stored bars', () => {
  test('of a symbol that has none are refused, and told how to get some', async () => {
    const error = await take({ symbol: 'NONE' }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'market.not_found' })
    expect(String(error)).toContain('POST /v1/market-data')
  })

  test.each([
    ['of another length', { symbol: 'AAPL', intervalMs: dayIntervalMs }],
    ['before them all', { symbol: 'AAPL', beforeMs: openMs }],
    ['after them all', { symbol: 'AAPL', fromMs: openMs + (minutes + 1) * minuteMs }],
  ])('%s are refused, and told what there is', async (_name, change) => {
    const error = await take(change).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'market.not_found' })
    expect(String(error)).toContain('9000 of 1m from 2024-03-04 to 2024-03-10')
  })

  test('of a server that is away are an outage', async () => {
    const away = connectPostgres({
      url: 'postgres://postern@127.0.0.1:9/none',
      ...{ mode: 'development', applicationName: 'test', max: 1 },
    })
    const error = await take({ symbol: 'SPX', sql: away }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'database.unavailable' })
    await away.end({ timeout: 1 })
  })

  test('come in the order of their times, block by block, to the nano', async () => {
    const { source, bars, lengths } = await take({ symbol: 'AAPL' })
    expect(lengths).toEqual([4_096, 4_096, 808])
    expect(source).toMatchObject({ series: 'stock', barMs: minuteMs, barsExpected: minutes })
    expect(bars.map(({ time }) => time)).toEqual(
      Array.from({ length: minutes }, (_, index) => openMs + (index + 1) * minuteMs),
    )
    expect(bars.at(-1)).toMatchObject({
      ...{ open: 100_000_000_000, high: 100_000_009_000, low: 99_000_000_001 },
      ...{ close: 100_000_000_000, volume: minutes, bid: 99_990_000_000, ask: 100_010_000_000 },
    })
    expect(source.manifest()).toMatchObject({ model: 'stored', bars: minutes, seed: undefined })
  })

  test('are those from a time on and before another, and the same of them give the same digest', async () => {
    const range = { fromMs: openMs + 10 * minuteMs, beforeMs: openMs + 20 * minuteMs }
    const { bars, source } = await take({ symbol: 'AAPL', ...range })
    expect(bars.map(({ volume }) => volume)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
    const again = await take({ symbol: 'AAPL', ...range })
    expect(again.source.manifest()).toEqual(source.manifest())
  })

  test('that come in while others are read belong to the next replay', async () => {
    const source = await openStoredBars({ ...base, sql, symbol: 'AAPL', intervalMs: minuteMs })
    let taken = 0
    for await (const block of source.blocks) {
      taken += block.length
      await sql`
        insert into postern_bar
        select symbol, interval_ms, time + interval '1 year', open, high, low, close, volume, ingest
        from postern_bar where symbol = 'AAPL' and volume = 1 limit 1 on conflict do nothing`
    }
    await sql`delete from postern_bar where symbol = 'AAPL' and time > '2025-01-01'`
    expect(taken).toBe(minutes)
  })

  test('that are left half read give their connection back', async () => {
    const one = connectPostgres({ url, mode: 'development', applicationName: 'test', max: 1 })
    const source = await openStoredBars({
      ...{ ...base, sql: one, symbol: 'AAPL', intervalMs: minuteMs },
    })
    for await (const block of source.blocks) if (block.length > 0) break
    expect(await one`select 1 as one`).toHaveLength(1)
    await one.end({ timeout: 1 })
  })

  test('whose connection ends while they are read are an outage, and the next are read', async () => {
    const own = { url, mode: 'development', applicationName: 'cut', max: 1 } as const
    const one = connectPostgres(own)
    const of = { ...base, sql: one, symbol: 'AAPL', intervalMs: minuteMs }
    const { blocks } = await openStoredBars(of)
    const cut = async () => {
      for await (const block of blocks) {
        if (block.length === 0) continue
        await sql`
          select pg_terminate_backend(pid, 5000) from pg_stat_activity
          where application_name = 'cut'`
        // Long enough for the connection to have been closed, and opened again for somebody else.
        await eventually(() => one`select 1`.catch(() => undefined))
      }
    }
    await expect(cut()).rejects.toMatchObject({ code: 'database.unavailable' })
    expect((await take(of)).bars).toHaveLength(minutes)
    await one.end({ timeout: 1 })
  })

  test('of the index bring the close before, if it is of the trading day before', async () => {
    const daily = { symbol: 'SPX', intervalMs: dayIntervalMs }
    const monday = await take({ ...daily, fromMs: Date.parse('2020-03-09') })
    expect(monday.source).toMatchObject({ series: 'index', priorClose: 2_972_370_117_000 })
    expect((await take(daily)).source.priorClose).toBeUndefined()
    await sql`
      insert into postern_bar
      select 'GAP', interval_ms, time, open, high, low, close, volume, ingest
      from postern_bar where symbol = 'SPX' and time::date <> '2020-03-06'`
    const behindGap = await take({
      ...{ ...daily, symbol: 'GAP', fromMs: Date.parse('2020-03-09') },
    })
    expect(behindGap.source.priorClose).toBeUndefined()
  })
})

describe('postern backtest --stored', () => {
  test('without a database says what to set and exits with 78', async () => {
    const { code, out, err } = await backtest(['--symbol', 'SPX'], '')
    expect({ code, out }).toEqual({ code: 78, out: '' })
    expect(err).toStartWith('POSTERN_DATABASE_URL: ')
    expect(err).toContain('--bars')
  })

  test('of a symbol without bars exits with 65 and says how to get some', async () => {
    const { code, out, err } = await backtest(['--symbol', 'NONE'])
    expect({ code, out }).toEqual({ code: 65, out: '' })
    expect(err).toBe(
      'NONE: NONE has no bars: send them to POST /v1/market-data, or replay a file with --bars\n',
    )
  })

  test('replays the real index as its file does', async () => {
    const source = readBars({
      ...{ ...base, source: Bun.file(realIndex).stream(), format: 'csv', name: realIndex },
      ...{ symbol: 'SPX', series: 'index', intervalMs: undefined },
    })
    const described = { scenario: undefined, title: 'SPX', summary: '' }
    const rules = replayRules(cash)
    const run = { cash, strategy: 'momentum', seed: 1, rules, described } as const
    const ofFile = await runReplay({ ...run, source })
    const stored = await openStoredBars({
      ...{ ...base, sql, symbol: 'SPX', intervalMs: dayIntervalMs },
    })
    const ofDatabase = await runReplay({ ...run, source: stored })
    expect(ofDatabase.bars).toBe(5_105)
    expect(ofDatabase.manifest.sha256).toBe(ofFile.manifest.sha256)
    expect({ ...ofDatabase, manifest: {} }).toEqual({ ...ofFile, manifest: {} })
  })

  test('of a part of the index halts on its first day too: the close before it is known', async () => {
    const range = ['--from', '2020-03-09', '--to', '2020-03-18']
    const { out } = await backtest(['--symbol', 'SPX', ...range, '--json', '-'])
    const { bars, halts } = replayResultSchema.parse(JSON.parse(out))
    expect(bars).toBe(8)
    expect(halts.listed.map(({ from }) => from.slice(0, 10))).toEqual([
      ...['2020-03-09', '2020-03-12', '2020-03-16', '2020-03-18'],
    ])
  })
})
