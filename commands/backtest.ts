import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Command, Option } from 'commander'
import { PosternError } from '#core/errors.ts'
import { parseInterval } from '#core/market/bar-interval.ts'
import { amountFault, moneyOf } from '#core/order/amount.ts'
import { generateBars } from '#core/replay/generate-bars.ts'
import { readBars } from '#core/replay/read-bars.ts'
import { describeScenario, type ReplayResult } from '#core/replay/replay-result.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import { reportHtml } from '#core/replay/report-html.ts'
import { reportSvg } from '#core/replay/report-svg.ts'
import { type RunOptions, runReplay } from '#core/replay/run-replay.ts'
import { type ScenarioName, scenarioNames } from '#core/replay/scenario.ts'
import { type ReplayStrategy, replayStrategies } from '#core/replay/strategy.ts'
import { backtestTable } from './backtest-table.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { progressBar, progressLine } from './progress-line.ts'

type Io = Pick<CommandIo, 'stdin' | 'stdout' | 'stderr'>

type Options = {
  readonly scenario?: ScenarioName
  readonly bars?: string
  readonly interval?: string
  readonly index?: true
  readonly symbol?: string
  readonly strategy: ReplayStrategy
  readonly seed?: string
  readonly cash: string
  readonly vix?: string
  readonly barsCount?: string
  readonly spreadBp: string
  readonly json?: string
  readonly report?: string
  readonly svg?: string
}

/** Any run of a day or a century; more needs a reason and a smaller file. */
const barsCountMax = 100_000_000
const vixMax = 500
/** What a double holds without loss is a seed. */
const seedMax = 4_294_967_295

const examples = `
Examples:
  postern backtest --scenario flash-crash --seed 7
  postern backtest --scenario volatility --vix 60 --strategy momentum --bars-count 1000000
  postern backtest --scenario breaker-3 --report crash.html --svg crash.svg --json crash.json
  postern backtest --bars sp500.csv --index --symbol SPX --strategy momentum
  postern backtest --bars minutes.ndjson --interval 1m --vix 18 --json -

The desk's own checks, breakers and sizing decide, and the strict paper venue fills: an order sent at
a bar's end meets the next bar's open. Index series can trip the market-wide breaker (7, 13, 20 %);
a single stock has limit-up-limit-down pauses instead. A bar during which trading was halted trades
nothing. Bars of a file have the columns of POST /v1/market-data: date for days, time (the start of
the bar) with --interval for shorter ones; they bring no book, so a spread is assumed. Without --vix
orders are sized by the volatility of daily closes, and denied until there are five of them.
The seed is printed; the same seed, options and version give the same bars to the byte.
Exits with 64 for a usage error, with 65 when the bars cannot be read.`

/** Offline: opens no connection. */
export function backtestCommand(io: Io): Command {
  return new Command('backtest')
    .description('Replay a market through the desk’s checks, breakers and paper venue, offline')
    .addOption(new Option('--scenario <name>', 'a generated market').choices(scenarioNames))
    .option('--bars <file>', 'bars to replay instead: .csv or .ndjson; - for CSV on standard input')
    .option('--interval <length>', 'of bars that are sent by their time, such as 1m')
    .option('--index', 'the bars of the file are an index series, not a single stock')
    .option('--symbol <symbol>', 'what the file holds', 'FILE')
    .addOption(
      new Option('--strategy <name>', 'what asks for orders')
        .choices(replayStrategies)
        .default('buy_and_hold'),
    )
    .option('--seed <number>', 'of the generator; a random one unless given')
    .option('--cash <amount>', 'that the account begins with', '100000')
    .option('--vix <percent>', 'volatility: of the scenarios calm and volatility, or to size by')
    .option('--bars-count <count>', 'how many bars to generate; the scenario’s own unless given')
    .option('--spread-bp <points>', 'spread assumed for a file, in 1/10,000 of the price', '2')
    .option('--json <file>', 'write everything as JSON; - for standard output, without the table')
    .option('--report <file>', 'write a page with charts that opens offline')
    .option('--svg <file>', 'write the charts alone')
    .addHelpText('after', examples)
    .action(async (options: Options, command: Command) => {
      const fault = faultOf(options)
      if (fault !== undefined) command.error(`error: ${fault}`)
      await run(io, options)
    })
}

function faultOf(options: Options): string | undefined {
  const { scenario, bars, interval } = options
  if ((scenario === undefined) === (bars === undefined))
    return 'name a --scenario or a file of --bars'
  if (interval !== undefined && parseInterval(interval) === undefined) {
    return '--interval must be such as 30s, 1m or 1h'
  }
  const cash = amountFault(options.cash)
  if (cash !== undefined || Number(options.cash) < 1) return `--cash ${cash ?? 'must be 1 or more'}`
  if (!isWithin(options.seed, { low: 0, high: seedMax, isWhole: true })) {
    return `--seed must be a whole number from 0 to ${seedMax}`
  }
  if (!isWithin(options.barsCount, { low: 1, high: barsCountMax, isWhole: true })) {
    return `--bars-count must be a whole number from 1 to ${barsCountMax}`
  }
  if (!isWithin(options.vix, { low: 1, high: vixMax, isWhole: false })) {
    return `--vix must be a number from 1 to ${vixMax}`
  }
  if (!isWithin(options.spreadBp, { low: 0, high: 1_000, isWhole: false })) {
    return '--spread-bp must be a number from 0 to 1000'
  }
  return faultOfUse(options)
}

/** What says nothing here is refused rather than ignored. */
function faultOfUse({ scenario, interval, index, seed, barsCount }: Options): string | undefined {
  if (scenario === undefined) {
    if (seed !== undefined || barsCount !== undefined)
      return '--seed and --bars-count are of a --scenario'
    return undefined
  }
  return interval === undefined && index === undefined
    ? undefined
    : '--interval and --index are of a file of --bars'
}

type Range = { readonly low: number; readonly high: number; readonly isWhole: boolean }

function isWithin(text: string | undefined, { low, high, isWhole }: Range): boolean {
  if (text === undefined) return true
  const value = Number(text)
  const isPlain = (isWhole ? /^\d{1,15}$/ : /^\d{1,9}(?:\.\d{1,9})?$/).test(text)
  return isPlain && value >= low && value <= high
}

async function run(io: Io, options: Options): Promise<void> {
  const startedAt = performance.now()
  const progress = progressLine(io)
  try {
    const asked = askedRun(io, options)
    const expected = asked.source.barsExpected
    const result = await runReplay({
      ...asked,
      onProgress: (bars) =>
        progress.tell(() =>
          expected === undefined
            ? `${bars.toLocaleString('en-US')} bars`
            : progressBar(bars, expected),
        ),
    })
    progress.clear()
    const seconds = (performance.now() - startedAt) / 1_000
    await write(io, options, { result, seconds })
  } catch (error) {
    progress.clear()
    if (!explain(io, options.bars ?? '', error)) throw error
    process.exitCode = exitCodes.badData
  }
}

function askedRun(io: Io, options: Options): RunOptions {
  const { scenario, bars, strategy } = options
  const vix = options.vix === undefined ? undefined : Number(options.vix)
  const seed = options.seed === undefined ? randomSeed() : Number(options.seed)
  const cash = moneyOf(options.cash)
  const base = { cash, strategy, seed, rules: replayRules(cash) }
  if (scenario !== undefined) {
    const count = options.barsCount === undefined ? undefined : Number(options.barsCount)
    const source = generateBars({ scenario, seed, vix, bars: count })
    return { ...base, source, described: describeScenario(scenario, { vix }) }
  }
  const name = bars ?? '-'
  const source = readBars({
    source: name === '-' ? io.stdin : createReadStream(name, { highWaterMark: 1_048_576 }),
    format: /\.(?:ndjson|jsonl)$/i.test(name) ? 'ndjson' : 'csv',
    name,
    symbol: options.symbol ?? 'FILE',
    series: options.index === true ? 'index' : 'stock',
    intervalMs: options.interval === undefined ? undefined : parseInterval(options.interval),
    vix,
    spreadBasisPoints: Number(options.spreadBp),
  })
  const summary = 'Bars of a file, in the order of their times.'
  return { ...base, source, described: { scenario: undefined, title: basename(name), summary } }
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
}

type Told = { readonly result: ReplayResult; readonly seconds: number }

async function write({ stdout }: Io, options: Options, { result, seconds }: Told): Promise<void> {
  const { json, report, svg } = options
  if (report !== undefined) await writeFile(report, reportHtml(result))
  if (svg !== undefined) await writeFile(svg, reportSvg(result))
  if (json !== '-') stdout.write(backtestTable(result, { seconds, isColoured: stdout.isTTY }))
  if (json === undefined) return
  const text = `${JSON.stringify(result, undefined, 2)}\n`
  if (json === '-') stdout.write(text)
  else await writeFile(json, text)
}

/** Tells what is wrong with the input or a file; false for what is not their fault. */
function explain({ stderr }: Io, file: string, error: unknown): boolean {
  if (error instanceof PosternError && error.code.startsWith('request.')) {
    stderr.write(`${file}: ${error.detail ?? error.message}\n`)
    for (const { detail } of error.errors ?? []) stderr.write(`  ${detail}\n`)
    return true
  }
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('E')) {
    stderr.write(`${error.message}\n`)
    return true
  }
  return false
}
