import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { PosternError } from '#core/errors.ts'
import type { ReplayResult } from '#core/replay/replay-result.ts'
import { reportHtml } from '#core/replay/report-html.ts'
import { reportSvg } from '#core/replay/report-svg.ts'
import { runReplay } from '#core/replay/run-replay.ts'
import { scenarioNames } from '#core/replay/scenario.ts'
import { replayStrategies } from '#core/replay/strategy.ts'
import { type BacktestOptions, faultOf } from './backtest-options.ts'
import { openBacktest } from './backtest-source.ts'
import { backtestTable } from './backtest-table.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { progressBar, progressLine } from './progress-line.ts'

type Io = Pick<CommandIo, 'stdin' | 'stdout' | 'stderr' | 'config'>

const pageText = `The desk's own checks, breakers and sizing decide, and the strict paper venue fills: an order sent at
a bar's end meets the next bar's open. Index series can trip the market-wide breaker (7, 13, 20 %);
a single stock has limit-up-limit-down pauses instead. A bar during which trading was halted trades
nothing. Bars of a file have the columns of POST /v1/market-data: date for days, time (the start of
the bar) with --interval for shorter ones; they bring no book, so a spread is assumed. Without --vix
orders are sized by the volatility of daily closes, and denied until there are five of them.
--stored replays what POST /v1/market-data has taken into the database of POSTERN_DATABASE_URL: bars
of a day unless --interval says which; the symbol that trips the market's breaker is an index there.
The seed is printed; the same seed, options and version give the same bars to the byte.
Exits with 64 for a usage error, with 65 when there are no bars or they cannot be read, with 78 when
--stored does not know its database.`

/** Opens no connection but that of --stored. */
export function backtestCommand(io: Io): Command {
  return new Command('backtest')
    .summary('replay a market through the desk’s checks and paper venue')
    .description(pageText)
    .addOption(new Option('--scenario <name>', 'a generated market').choices(scenarioNames))
    .option('--bars <file>', 'bars to replay instead: .csv or .ndjson; - for CSV on standard input')
    .option('--stored', 'bars of the database instead: those of --symbol')
    .option('--symbol <symbol>', 'what the file holds, or what of the database')
    .option('--interval <length>', 'of the bars, such as 1m; a day unless given')
    .option('--from <day>', 'first day of the stored bars to replay, such as 2020-03-02')
    .option('--to <day>', 'last day of them')
    .option('--index', 'the bars are an index series, not a single stock')
    .addOption(
      new Option('--strategy <name>', 'what asks for orders')
        .choices(replayStrategies)
        .default('buy_and_hold'),
    )
    .option('--seed <number>', 'of the generator; a random one unless given')
    .option('--cash <amount>', 'that the account begins with', '100000')
    .option('--vix <percent>', 'volatility: of the scenarios calm and volatility, or to size by')
    .option('--bars-count <count>', 'how many bars to generate; the scenario’s own unless given')
    .option(
      '--spread-bp <points>',
      'spread assumed for recorded bars, in 1/10,000 of the price',
      '2',
    )
    .option('--json <file>', 'write everything as JSON; - for standard output, without the table')
    .option('--report <file>', 'write a page with charts that opens offline')
    .option('--svg <file>', 'write the charts alone')
    .addHelpText(
      'after',
      examples(
        'postern backtest --scenario flash-crash --seed 7',
        'postern backtest --scenario volatility --vix 60 --strategy momentum --bars-count 1000000',
        'postern backtest --scenario breaker-3 --report crash.html --svg crash.svg --json crash.json',
        'postern backtest --bars sp500.csv --index --symbol SPX --strategy momentum',
        'postern backtest --bars minutes.ndjson --interval 1m --vix 18 --json -',
        'postern backtest --stored --symbol SPX --from 2020-02-01 --to 2020-04-30 --report covid.html',
      ),
    )
    .action(async (options: BacktestOptions, command: Command) => {
      const fault = faultOf(options)
      if (fault !== undefined) command.error(`error: ${fault}`)
      await run(io, options)
    })
}

async function run(io: Io, options: BacktestOptions): Promise<void> {
  const startedAt = performance.now()
  const progress = progressLine(io)
  await using stack = new AsyncDisposableStack()
  try {
    const asked = await openBacktest(io, options, stack)
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
    if (!explain(io, options.bars ?? options.symbol ?? '', error)) throw error
    process.exitCode = exitCodes.badData
  }
}

type Told = { readonly result: ReplayResult; readonly seconds: number }

async function write(
  { stdout }: Io,
  options: BacktestOptions,
  { result, seconds }: Told,
): Promise<void> {
  const { json, report, svg } = options
  if (report !== undefined) await writeFile(report, reportHtml(result))
  if (svg !== undefined) await writeFile(svg, reportSvg(result))
  if (json !== '-') {
    await writeAll(stdout, backtestTable(result, { seconds, isColoured: stdout.isTTY }))
  }
  if (json === undefined) return
  const text = jsonText(result)
  if (json === '-') await writeAll(stdout, text)
  else await writeFile(json, text)
}

/** A pipe takes 64 KiB at a time, and the process ends with the command. */
async function writeAll(stdout: NodeJS.WritableStream, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

/** Tells what is wrong with the input or a file; false for what is not their fault. */
function explain({ stderr }: Io, name: string, error: unknown): boolean {
  if (error instanceof PosternError && error.status < 500) {
    stderr.write(`${name}: ${error.detail ?? error.message}\n`)
    for (const { detail } of error.errors ?? []) stderr.write(`  ${detail}\n`)
    return true
  }
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('E')) {
    stderr.write(`${error.message}\n`)
    return true
  }
  return false
}
