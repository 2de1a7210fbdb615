import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { ConfigError } from '#core/config.ts'
import { dayIntervalMs, parseInterval } from '#core/market/bar-interval.ts'
import { dayMs, parseDay } from '#core/market/calendar-day.ts'
import { moneyOf } from '#core/order/amount.ts'
import type { BarSource } from '#core/replay/bar-block.ts'
import { generateBars } from '#core/replay/generate-bars.ts'
import { readBars } from '#core/replay/read-bars.ts'
import { type Described, describeScenario } from '#core/replay/replay-result.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import type { RunOptions } from '#core/replay/run-replay.ts'
import { openStoredBars } from '#core/replay/stored-bars.ts'
import type { BacktestOptions } from './backtest-options.ts'
import type { CommandIo } from './command-io.ts'
import { connectDatabase, databaseUrl } from './connect-database.ts'
import { openSecretReader } from './open-secret-store.ts'

type Io = Pick<CommandIo, 'stdin' | 'config'>

/** What bars are called where nobody names them. */
const symbolDefault = 'FILE'
/** Seconds that closing the connection waits for statements under way. */
const closeSeconds = 1
/** Counting a symbol's bars reads its part of an index: of a hundred million, a minute. */
const statementTimeoutMs = 120_000

/** The run that was asked for; a connection that it needs is closed with the stack. */
export async function openBacktest(
  io: Io,
  options: BacktestOptions,
  stack: AsyncDisposableStack,
): Promise<RunOptions> {
  const cash = moneyOf(options.cash)
  const seed = options.seed === undefined ? randomSeed() : Number(options.seed)
  const base = { cash, strategy: options.strategy, seed, rules: replayRules(cash) }
  if (options.scenario !== undefined) return { ...base, ...generated(options, seed) }
  if (options.stored === true) return { ...base, ...(await stored(io, options, stack)) }
  return { ...base, ...fromFile(io, options) }
}

type Source = { readonly source: BarSource; readonly described: Described }

function generated({ scenario = 'calm', ...options }: BacktestOptions, seed: number): Source {
  const vix = numberOf(options.vix)
  const source = generateBars({ scenario, seed, vix, bars: numberOf(options.barsCount) })
  return { source, described: describeScenario(scenario, { vix }) }
}

function fromFile({ stdin }: Pick<Io, 'stdin'>, options: BacktestOptions): Source {
  const name = options.bars ?? '-'
  const source = readBars({
    source: name === '-' ? stdin : createReadStream(name, { highWaterMark: 1_048_576 }),
    format: /\.(?:ndjson|jsonl)$/i.test(name) ? 'ndjson' : 'csv',
    name,
    symbol: options.symbol ?? symbolDefault,
    series: options.index === true ? 'index' : 'stock',
    intervalMs: intervalOf(options),
    vix: numberOf(options.vix),
    spreadBasisPoints: Number(options.spreadBp),
  })
  const summary = 'Bars of a file, in the order of their times.'
  return { source, described: { scenario: undefined, title: basename(name), summary } }
}

async function stored(
  { config: read }: Pick<Io, 'config'>,
  options: BacktestOptions,
  stack: AsyncDisposableStack,
): Promise<Source> {
  const config = read()
  if (config.POSTERN_DATABASE_URL === undefined) {
    throw new ConfigError([
      'POSTERN_DATABASE_URL: --stored reads the bars of a database and this says which; without one, replay a file with --bars',
    ])
  }
  const url = await databaseUrl(config, openSecretReader(config))
  const sql = stack.adopt(
    connectDatabase(config, url, { use: 'backtest', connections: 1, statementTimeoutMs }),
    (open) => open.end({ timeout: closeSeconds }),
  )
  const symbol = options.symbol ?? symbolDefault
  const source = await openStoredBars({
    ...{ sql, symbol, series: options.index === true ? 'index' : undefined },
    intervalMs: intervalOf(options) ?? dayIntervalMs,
    fromMs: dayStart(options.from),
    beforeMs: dayStart(options.to, 1),
    vix: numberOf(options.vix),
    spreadBasisPoints: Number(options.spreadBp),
  })
  const summary = 'Bars as they were ingested, in the order of their times.'
  return { source, described: { scenario: undefined, title: `${symbol}, stored`, summary } }
}

/** Trading hours of an exchange day end within the same day of UTC. */
function dayStart(day: string | undefined, later = 0): number | undefined {
  const number = day === undefined ? undefined : parseDay(day)
  return number === undefined ? undefined : (number + later) * dayMs
}

function intervalOf({ interval }: BacktestOptions): number | undefined {
  return interval === undefined ? undefined : parseInterval(interval)
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
}
