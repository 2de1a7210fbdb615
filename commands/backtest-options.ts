import { parseInterval } from '#core/market/bar-interval.ts'
import { parseDay } from '#core/market/calendar-day.ts'
import { amountFault } from '#core/order/amount.ts'
import { type ScenarioName, seedMax, vixRange } from '#core/replay/scenario.ts'
import type { ReplayStrategy } from '#core/replay/strategy.ts'

/** As they were typed. */
export type BacktestOptions = {
  readonly scenario?: ScenarioName
  readonly bars?: string
  readonly stored?: true
  readonly interval?: string
  readonly from?: string
  readonly to?: string
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

/** What is wrong with a command line, in words; undefined for one that can be run. */
export function faultOf(options: BacktestOptions): string | undefined {
  const { scenario, bars, stored, interval } = options
  if ([scenario, bars, stored].filter((source) => source !== undefined).length !== 1) {
    return 'name a --scenario, a file of --bars, or --stored with its --symbol'
  }
  if (interval !== undefined && parseInterval(interval) === undefined) {
    return '--interval must be such as 30s, 1m or 1h'
  }
  const cash = amountFault(options.cash)
  if (cash !== undefined || Number(options.cash) < 1) return `--cash ${cash ?? 'must be 1 or more'}`
  return faultOfNumbers(options) ?? faultOfUse(options) ?? faultOfRange(options)
}

function faultOfNumbers({ seed, barsCount, vix, spreadBp }: BacktestOptions): string | undefined {
  if (!isWithin(seed, { low: 0, high: seedMax, isWhole: true })) {
    return `--seed must be a whole number from 0 to ${seedMax}`
  }
  if (!isWithin(barsCount, { low: 1, high: barsCountMax, isWhole: true })) {
    return `--bars-count must be a whole number from 1 to ${barsCountMax}`
  }
  if (!isWithin(vix, { ...vixRange, isWhole: false })) {
    return `--vix must be a number from ${vixRange.low} to ${vixRange.high}`
  }
  if (!isWithin(spreadBp, { low: 0, high: 1_000, isWhole: false })) {
    return '--spread-bp must be a number from 0 to 1000'
  }
  return undefined
}

/** What says nothing here is refused rather than ignored. */
function faultOfUse(options: BacktestOptions): string | undefined {
  const { scenario, stored, symbol, interval, index, seed, barsCount } = options
  if (scenario === undefined && (seed !== undefined || barsCount !== undefined)) {
    return '--seed and --bars-count are of a --scenario'
  }
  if (scenario !== undefined && (interval ?? index ?? symbol) !== undefined) {
    return '--interval, --index and --symbol are of --bars and --stored'
  }
  if (stored === true && symbol === undefined) return '--stored needs the --symbol of its bars'
  return undefined
}

function faultOfRange({ stored, from, to }: BacktestOptions): string | undefined {
  if (stored === undefined) {
    return (from ?? to) === undefined ? undefined : '--from and --to are of --stored'
  }
  const first = from === undefined ? undefined : parseDay(from)
  const last = to === undefined ? undefined : parseDay(to)
  if (from !== undefined && first === undefined) return '--from must be a day such as 2020-03-02'
  if (to !== undefined && last === undefined) return '--to must be a day such as 2020-03-31'
  const isBackward = first !== undefined && last !== undefined && first > last
  return isBackward ? '--from must not be after --to' : undefined
}

type Range = { readonly low: number; readonly high: number; readonly isWhole: boolean }

function isWithin(text: string | undefined, { low, high, isWhole }: Range): boolean {
  if (text === undefined) return true
  const value = Number(text)
  const isPlain = (isWhole ? /^\d{1,15}$/ : /^\d{1,9}(?:\.\d{1,9})?$/).test(text)
  return isPlain && value >= low && value <= high
}
