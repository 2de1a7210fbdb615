import type { SeriesKind } from './bar-block.ts'
import type { Point } from './curve.ts'

export const scenarioNames = [
  'calm',
  'volatility',
  'flash-crash',
  'breaker-1',
  'breaker-2',
  'breaker-3',
  'liquidity-crisis',
  'gap-up',
  'gap-down',
  'message-load',
] as const
export type ScenarioName = (typeof scenarioNames)[number]

/** Where the price has to be; `high` is the highest close before. Between two knots it wanders. */
export type Knot = { readonly at: number; readonly level: number | 'high' }

/** What a market goes through; places are trading minutes, 390 to a full session. */
export type Scenario = {
  readonly title: string
  readonly summary: string
  readonly series: SeriesKind
  /** Sessions that show all of it. */
  readonly sessions: number
  /** From 100; after the last knot the price is free. */
  readonly knots: readonly Knot[]
  /** Annualised percent. */
  readonly vix: readonly Point[]
  /** Percent of the price by which a session opens away from the close before, by its number. */
  readonly gaps: ReadonlyMap<number, number>
  /** Times the calm market's. */
  readonly spread: readonly Point[]
  readonly volume: readonly Point[]
  /** Messages, times the calm market's: bars are so much shorter. */
  readonly load: number
}

export type ScenarioOptions = {
  /** Of the volatility scenario; of the others' calm in their place it is `calmVix`. */
  readonly vix?: number | undefined
  /** Percent that the flash crash falls. */
  readonly crashPercent?: number | undefined
  /** Times the calm market's messages, in the scenario of that name. */
  readonly load?: number | undefined
}

export const sessionMinutes = 390
export const sessionMs = sessionMinutes * 60_000
/** What a scenario, or a replay of recorded bars, may have, in annualised percent. */
export const vixRange = { low: 1, high: 500 } as const
/** Seeds are of 32 bits, as those that are made of a job's id. */
export const seedMax = 4_294_967_295
const calmVix = 15
const stormVix = 45
const crashPercentDefault = 20
const loadDefault = 5

const constant = (value: number): readonly Point[] => [{ at: 0, value }]
const curve = (...points: readonly (readonly [at: number, value: number])[]): readonly Point[] =>
  points.map(([at, value]) => ({ at, value }))
const knots = (...points: readonly (readonly [number, number | 'high'])[]): readonly Knot[] =>
  points.map(([at, level]) => ({ at, level }))

const calm: Scenario = {
  title: 'Calm',
  summary: 'A quiet market: the baseline of every other scenario.',
  series: 'index',
  sessions: 1,
  knots: [],
  vix: constant(calmVix),
  gaps: new Map(),
  spread: constant(1),
  volume: constant(1),
  load: 1,
}

type Make = (options: ScenarioOptions) => Partial<Scenario>

const makers: Readonly<Record<ScenarioName, Make>> = {
  calm: ({ vix = calmVix }) => ({ vix: constant(vix) }),
  volatility: ({ vix = stormVix }) => ({
    title: 'Volatility',
    summary: `VIX at ${vix}: three times the calm market's moves, and jumps.`,
    vix: constant(vix),
    spread: constant(2),
  }),
  'flash-crash': ({ crashPercent = crashPercentDefault }) => ({
    title: 'Flash crash',
    summary: `The index falls ${crashPercent} % in five minutes and has recovered 30 minutes after the start.`,
    // Pinned at 100 where it begins; recovered is the highest price before.
    knots: knots([0, 1], [60, 1], [65, 1 - crashPercent / 100], [90, 'high']),
    vix: curve([0, calmVix], [60, calmVix], [65, 60], [90, 40], [390, 25]),
    spread: curve([60, 1], [65, 8], [90, 2], [120, 1]),
    volume: curve([60, 1], [63, 6], [90, 2], [150, 1]),
  }),
  'breaker-1': () => ({
    title: 'Breaker, level 1',
    summary: 'The index falls through 7 %, trading halts 15 minutes, the market steadies.',
    knots: knots([0, 1], [30, 1], [70, 0.922], [90, 0.93], [240, 0.965]),
    vix: curve([0, calmVix], [30, 20], [70, 50], [390, 35]),
    spread: curve([30, 1], [70, 5], [140, 2]),
    volume: curve([30, 1], [70, 4], [180, 1.5]),
  }),
  'breaker-2': () => ({
    title: 'Breaker, level 2',
    summary: 'Through 7 % and, after the halt, through 13 %: two halts of 15 minutes.',
    knots: knots([0, 1], [30, 1], [70, 0.922], [90, 0.918], [130, 0.862], [300, 0.9]),
    vix: curve([0, calmVix], [30, 20], [130, 70], [390, 45]),
    spread: curve([30, 1], [130, 6], [240, 3]),
    volume: curve([30, 1], [130, 5], [300, 2]),
  }),
  'breaker-3': () => ({
    title: 'Breaker, level 3',
    summary: 'Through 7, 13 and 20 %: the market closes until the next trading day.',
    sessions: 2,
    knots: [
      ...knots([0, 1], [30, 1], [70, 0.922], [90, 0.918], [130, 0.862], [150, 0.858]),
      ...knots([190, 0.79], [390, 0.79], [480, 0.81], [780, 0.86]),
    ],
    vix: curve([0, calmVix], [30, 20], [190, 80], [780, 50]),
    spread: curve([30, 1], [190, 8], [480, 3], [780, 2]),
    volume: curve([30, 1], [190, 6], [480, 2]),
  }),
  'liquidity-crisis': () => ({
    title: 'Liquidity crisis',
    summary:
      'One stock: volume dries up to 1 %, the spread grows past 1 % of the price, both return.',
    series: 'stock',
    knots: knots([0, 1], [90, 1], [150, 0.97], [240, 0.985]),
    vix: curve([0, 20], [90, 20], [150, 35], [300, 25]),
    spread: curve([90, 1], [130, 75], [200, 75], [260, 1]),
    volume: curve([90, 1], [130, 0.01], [200, 0.01], [260, 1]),
  }),
  'gap-up': () => ({
    title: 'Gap up',
    summary: 'One stock opens 10 % above the close before.',
    series: 'stock',
    sessions: 2,
    vix: curve([0, 20], [389, 20], [390, 35], [780, 25]),
    gaps: new Map([[1, 10]]),
    volume: curve([389, 1], [390, 4], [500, 1]),
  }),
  'gap-down': () => ({
    title: 'Gap down',
    summary: 'One stock opens 10 % below the close before.',
    series: 'stock',
    sessions: 2,
    vix: curve([0, 20], [389, 20], [390, 40], [780, 25]),
    gaps: new Map([[1, -10]]),
    volume: curve([389, 1], [390, 4], [500, 1]),
  }),
  'message-load': ({ load = loadDefault }) => ({
    title: `Message load, ${load} times`,
    summary: `${load} times the messages: shorter bars, more orders, and data that arrive late.`,
    load,
  }),
}

export function scenarioOf(name: ScenarioName, options: ScenarioOptions = {}): Scenario {
  return { ...calm, ...makers[name](options) }
}
