import { createReadStream } from 'node:fs'
import { Command, Option } from 'commander'
import { PosternError } from '#core/errors.ts'
import { type AlgorithmVersion, algorithmVersions } from '#core/score/algorithm.ts'
import { type CostBasis, costBases } from '#core/score/cost-basis.ts'
import { defaultSelection } from '#core/score/defaults.ts'
import sample from '#core/score/sample-trades.csv' with { type: 'text' }
import { scoreTrades } from '#core/score/score-trades.ts'
import { readTrades, type TradeFormat, tradeFormats } from '#core/score/trade-reader.ts'
import { dateSchema } from '#core/score/wallet-score.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { progressLine } from './progress-line.ts'
import { scoreTable } from './score-table.ts'

type Io = Pick<CommandIo, 'stdin' | 'stdout' | 'stderr'>

type Options = {
  readonly sample?: true
  readonly json?: true
  readonly format?: TradeFormat
  readonly costBasis: CostBasis
  readonly algorithm: AlgorithmVersion
  readonly endDate?: string
}

/** A file of our own machine: bounds only what would not fit into memory. */
const fileBytesMax = 4_294_967_296
const fileRowsMax = 5_000_000

/** Offline: reads a file, opens no connection. */
export function scoreCommand(io: Io): Command {
  return new Command('score')
    .summary('score the wallets of a file of swaps, offline')
    .description(`The swaps of a wallet must be in order of time and each signature stand once. Scores place a wallet
within its cohort, here the file: fewer than 20 eligible wallets have metrics but no score.
Exits with 65 when a row is not a valid swap; nothing is scored then.`)
    .argument('[file]', 'CSV or NDJSON; - for standard input')
    .option('--sample', 'score the synthetic wallets that come with Postern')
    .addOption(
      new Option('--format <format>', 'by default from the name, csv for -').choices(tradeFormats),
    )
    .addOption(
      new Option('--cost-basis <basis>', 'which purchase a sale closes')
        .choices(costBases)
        .default(defaultSelection.costBasis),
    )
    .addOption(
      new Option('--algorithm <version>', 'version of rules and weights')
        .choices(algorithmVersions)
        .default(defaultSelection.algorithmVersion),
    )
    .option('--end-date <date>', 'last UTC day that counts; the last one in the file by default')
    .option('--json', 'everything, intermediates included, as JSON')
    .addHelpText(
      'after',
      examples(
        'postern score trades.csv',
        'postern score trades.ndjson --json > scores.json',
        'zcat trades.csv.gz | postern score - --end-date 2025-09-30',
        'postern score --sample',
      ),
    )
    .action(async (file: string | undefined, options: Options, command: Command) => {
      if ((file === undefined) === (options.sample === undefined)) {
        command.error('error: name one file, or - for standard input, or --sample')
      }
      if (options.endDate !== undefined && !dateSchema.safeParse(options.endDate).success) {
        command.error('error: --end-date must be a date such as 2026-01-31')
      }
      await run(io, file, options)
    })
}

async function run(io: Io, file: string | undefined, options: Options): Promise<void> {
  try {
    const scores = await scoreSource(io, file, options)
    io.stdout.write(
      options.json === true ? jsonText({ scores }) : scoreTable(scores, io.stdout.isTTY),
    )
  } catch (error) {
    if (!explain(io, file ?? 'sample', error)) throw error
    process.exitCode = exitCodes.badData
  }
}

async function scoreSource(io: Io, file: string | undefined, options: Options) {
  const { costBasis, algorithm, endDate } = options
  const batches = readTrades(sourceOf(io, file), {
    format: options.format ?? formatOf(file),
    bytesMax: fileBytesMax,
    rowsMax: fileRowsMax,
    latestMs: Number.POSITIVE_INFINITY,
    isOrderRequired: true,
  })
  const progress = progressLine(io)
  try {
    const selection = { costBasis, algorithmVersion: algorithm, endDate }
    return await scoreTrades(batches, selection, (what) => progress.tell(() => what))
  } finally {
    progress.clear()
  }
}

function sourceOf(io: Io, file: string | undefined): AsyncIterable<Uint8Array> {
  if (file === undefined) return new Blob([sample]).stream()
  return file === '-' ? io.stdin : createReadStream(file)
}

function formatOf(file: string | undefined): TradeFormat {
  return file !== undefined && /\.(?:ndjson|jsonl)$/i.test(file) ? 'ndjson' : 'csv'
}

/** Tells what is wrong with the input; false for what is not the input's fault. */
function explain({ stderr }: Io, file: string, error: unknown): boolean {
  if (error instanceof PosternError && error.code.startsWith('request.')) {
    stderr.write(`${file}: ${error.detail ?? error.message}\n`)
    for (const { detail } of error.errors ?? []) stderr.write(`  ${detail}\n`)
    return true
  }
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('E')) {
    stderr.write(`${file}: cannot be read (${String(error.code)})\n`)
    return true
  }
  return false
}
