import { z } from 'zod'
import { formatAmount, formatMoney } from '../order/amount.ts'
import { unrealised } from '../order/position.ts'
import type { BarManifest } from './bar-block.ts'
import type { FinishedRun } from './replay.ts'
import { type ScenarioName, scenarioNames, scenarioOf } from './scenario.ts'
import type { Stretch } from './series-recorder.ts'
import { replayStrategies } from './strategy.ts'

const amount = z.string()
const instant = z.iso.datetime()
const count = z.int().nonnegative()

/** Columns of equal length; a stretch of bars each, its extremes kept. */
const seriesSchema = z.strictObject({
  from: z.array(z.number()),
  to: z.array(z.number()),
  equityMin: z.array(z.number()),
  equityMax: z.array(z.number()),
  equityLast: z.array(z.number()),
  priceMin: z.array(z.number()),
  priceMax: z.array(z.number()),
  priceLast: z.array(z.number()),
  feedLast: z.array(z.number()),
  drawdown: z.array(z.number()),
  exposure: z.array(z.number()),
})

export const replayResultSchema = z.strictObject({
  version: z.literal('replay-1'),
  scenario: z.enum(scenarioNames).nullable(),
  title: z.string(),
  summary: z.string(),
  symbol: z.string(),
  series: z.enum(['index', 'stock']),
  strategy: z.enum(replayStrategies),
  seed: z.int(),
  bars: count.meta({ description: 'Bars within a session' }),
  barsSkipped: count.meta({ description: 'Bars outside of trading hours' }),
  barSeconds: z.number().positive(),
  from: instant,
  to: instant,
  account: z.strictObject({
    cashStart: amount,
    cash: amount,
    position: amount,
    equity: amount,
    realised: amount,
    unrealised: amount,
    fees: amount,
    returnPercent: z.number(),
  }),
  risk: z.strictObject({
    maxDrawdownPercent: z.number(),
    peakAt: instant.nullable(),
    troughAt: instant.nullable(),
    recoveryMinutes: z.number().nullable().meta({
      description:
        'From the peak before the largest drawdown to its first regain, in trading time; null while it is not regained',
    }),
    longestRecoveryMinutes: z.number().nullable().meta({
      description: 'Of any drawdown that was regained; null when none was and one is open',
    }),
    underwaterSince: instant.nullable(),
    maxExposurePercent: z.number(),
  }),
  orders: z.strictObject({
    total: count,
    byStatus: z.record(z.string(), count),
    byRejectCode: z.record(z.string(), count),
    entries: count.meta({ description: 'Orders that went out to open a position' }),
    entriesReduced: count,
    meanEntryShares: z.number().nullable(),
  }),
  trades: z.strictObject({
    total: count,
    listed: z.array(
      z.strictObject({
        time: instant,
        side: z.enum(['buy', 'sell']),
        quantity: amount,
        price: amount,
      }),
    ),
  }),
  halts: z.strictObject({
    total: count,
    listed: z.array(
      z.strictObject({ kind: z.enum(['L1', 'L2', 'L3', 'LULD']), from: instant, until: instant }),
    ),
  }),
  breakerLevels: z
    .array(
      z.strictObject({
        from: instant,
        until: instant,
        levels: z.array(z.strictObject({ percent: z.number(), index: z.number() })),
      }),
    )
    .meta({ description: 'Where the market-wide breaker trips, by day; of a few days only' }),
  chart: seriesSchema,
  manifest: z.strictObject({
    model: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    seed: z.int().nullable(),
    bars: count,
    sha256: z.string(),
  }),
})
export type ReplayResult = z.infer<typeof replayResultSchema>

export type Described = {
  readonly scenario: ScenarioName | undefined
  readonly title: string
  readonly summary: string
}

export function describeScenario(
  name: ScenarioName,
  options: Parameters<typeof scenarioOf>[1],
): Described {
  const { title, summary } = scenarioOf(name, options)
  return { scenario: name, title, summary }
}

/** Everything a replay came to, as JSON: amounts exact, statistics rounded for the eye. */
export function resultOf(
  run: FinishedRun,
  manifest: BarManifest,
  described: Described,
): ReplayResult {
  const { options, series } = run
  const { source, strategy, seed } = options
  return {
    version: 'replay-1',
    scenario: described.scenario ?? null,
    title: described.title,
    summary: described.summary,
    symbol: source.symbol,
    series: source.series,
    strategy,
    seed,
    bars: run.bars,
    barsSkipped: run.skipped,
    barSeconds: source.barMs / 1_000,
    from: instantOf(run.firstMs),
    to: instantOf(run.lastMs),
    account: accountOf(run),
    risk: riskOf(run),
    ...ordersOf(run),
    halts: {
      total: run.haltCount,
      listed: run.halts.map(({ kind, fromMs, untilMs }) => ({
        kind,
        from: instantOf(fromMs),
        until: instantOf(untilMs),
      })),
    },
    breakerLevels: run.levels.finish().map(({ openMs, closeMs, levels }) => ({
      from: instantOf(openMs),
      until: instantOf(closeMs),
      levels: [...levels],
    })),
    chart: columnsOfChart(series.stretches()),
    manifest: { ...manifest, seed: manifest.seed ?? null },
  }
}

function instantOf(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

function accountOf({ desk, mark, options }: FinishedRun): ReplayResult['account'] {
  const { cash, position } = desk
  const price = BigInt(mark)
  const equity = cash + position.quantity * price
  return {
    cashStart: formatMoney(options.cash),
    cash: formatMoney(cash),
    position: formatAmount(position.quantity),
    equity: formatMoney(equity),
    realised: formatMoney(position.realised),
    unrealised: formatMoney(unrealised(position, price)),
    fees: formatMoney(position.fees),
    returnPercent: rounded((100 * Number(equity - options.cash)) / Number(options.cash), 4),
  }
}

function riskOf({ recovery, exposureMax, options }: FinishedRun): ReplayResult['risk'] {
  const found = recovery.finish()
  const { maxDrawdown, peakMs, troughMs, underwaterSinceMs } = found
  const minutes = (samples: number | undefined) =>
    samples === undefined ? null : rounded((samples * options.source.barMs) / 60_000, 2)
  const at = (timeMs: number | undefined) => (timeMs === undefined ? null : instantOf(timeMs))
  return {
    maxDrawdownPercent: rounded(100 * maxDrawdown, 4),
    peakAt: at(peakMs),
    troughAt: at(troughMs),
    recoveryMinutes: minutes(found.deepestSamples),
    longestRecoveryMinutes: minutes(found.recoverySamples),
    underwaterSince: at(underwaterSinceMs),
    maxExposurePercent: rounded(100 * exposureMax, 2),
  }
}

function ordersOf({ desk }: FinishedRun): Pick<ReplayResult, 'orders' | 'trades'> {
  const tally = desk.tally.finish()
  const { meanEntryShares } = tally
  return {
    orders: {
      total: tally.orders,
      byStatus: Object.fromEntries(tally.statuses),
      byRejectCode: Object.fromEntries(tally.codes),
      entries: tally.entries,
      entriesReduced: tally.reduced,
      meanEntryShares: meanEntryShares === undefined ? null : rounded(meanEntryShares, 2),
    },
    trades: {
      total: tally.tradeCount,
      listed: tally.trades.map(({ timeMs, side, quantity, price }) => ({
        time: instantOf(timeMs),
        side,
        quantity: formatAmount(quantity),
        price: formatAmount(price),
      })),
    },
  }
}

function columnsOfChart(stretches: readonly Stretch[]): ReplayResult['chart'] {
  const column = (name: keyof Stretch, places: number) =>
    stretches.map((stretch) => rounded(stretch[name], places))
  return {
    from: column('fromMs', 0),
    to: column('toMs', 0),
    equityMin: column('equityMin', 2),
    equityMax: column('equityMax', 2),
    equityLast: column('equityLast', 2),
    priceMin: column('priceMin', 4),
    priceMax: column('priceMax', 4),
    priceLast: column('priceLast', 4),
    feedLast: column('feedLast', 4),
    drawdown: column('drawdown', 6),
    exposure: column('exposure', 4),
  }
}

/** Statistics for people; no money is rounded here. */
function rounded(value: number, places: number): number {
  const scale = 10 ** places
  return Math.round(value * scale) / scale
}
