import { invariant } from '../invariant.ts'
import type { Quote } from '../market/bar.ts'
import { type Session, sessionOf } from '../market/session.ts'
import type { Money } from '../order/amount.ts'
import { seededRandom } from '../order/venue/seeded-random.ts'
import type { BarBlock, BarSource } from './bar-block.ts'
import { type BreakerWatch, type Halt, openMarket, watchBreaker } from './breaker-watch.ts'
import { type Chooser, chooser } from './choose-order.ts'
import { levelDays } from './level-days.ts'
import { type LossWatch, watchLosses } from './loss-watch.ts'
import { type MarketFigures, marketFigures } from './market-figures.ts'
import { type Desk, expireOrders, matchOpen, openDesk, releaseHeld } from './order-desk.ts'
import type { DeskMarket } from './order-entry.ts'
import { orderTally } from './order-tally.ts'
import { type PauseWatch, pauseBarMsMax, watchPauses } from './pause-watch.ts'
import { recoveryMeter } from './recovery.ts'
import type { ReplayRules } from './replay-rules.ts'
import { type Sample, seriesRecorder } from './series-recorder.ts'
import { openStrategy, type ReplayStrategy, type Signal } from './strategy.ts'

export type ReplayOptions = {
  readonly source: Pick<BarSource, 'symbol' | 'series' | 'barMs' | 'priorClose'>
  readonly cash: Money
  readonly strategy: ReplayStrategy
  readonly rules: ReplayRules
  /** Of the venue's random numbers; the strict venue draws none. */
  readonly seed: number
}

/** A report shows so many; a series with more of them is counted on. */
const haltsListedMax = 200

/** All that changes while bars pass. */
type Run = {
  readonly options: ReplayOptions
  readonly desk: Desk
  readonly losses: LossWatch
  readonly figures: MarketFigures
  readonly recovery: ReturnType<typeof recoveryMeter>
  readonly series: ReturnType<typeof seriesRecorder>
  readonly sample: Sample
  readonly signalOf: (close: number) => Signal
  readonly choose: Chooser
  readonly random: () => number
  readonly halts: Halt[]
  haltCount: number
  readonly levels: ReturnType<typeof levelDays>
  session: Session
  breaker: BreakerWatch | undefined
  pauses: PauseWatch | undefined
  /** Bars before the first session, outside of hours, or with no sense. */
  skipped: number
  bars: number
  firstMs: number
  lastMs: number
  /** Nanos; the last price that traded. */
  mark: number
  isMarketStopped: boolean
  exposureMax: number
  /** Position in shares, and cash, as doubles; statistics only. */
  shares: number
}

/**
 * Replays bars through the decisions of the desk and the strict paper venue. Of each bar: session,
 * breaker and pauses; open orders meet it; the account is marked; held orders are released; the
 * strategy asks, the checks decide, and what passes meets the next bar. Blocks are taken in order;
 * memory does not grow with their number.
 */
export function openReplay(options: ReplayOptions) {
  let run: Run | undefined
  return {
    apply(block: BarBlock): void {
      for (let index = 0; index < block.length; index += 1) {
        run ??= startRun(options, block, index)
        if (run !== undefined) takeBar(run, block, index)
      }
    },
    /** Ends what is open; undefined when no bar lay within a session. */
    finish() {
      if (run === undefined || run.bars === 0) return undefined
      expireOrders(run.desk, true)
      return run
    },
  }
}

export type FinishedRun = Readonly<Run>

/** Undefined until a bar lies within a trading day. */
function startRun(options: ReplayOptions, block: BarBlock, index: number): Run | undefined {
  const timeMs = block.time[index] ?? Number.NaN
  const session = sessionOf(timeMs)
  if (session === undefined) return undefined
  const { source, cash, rules, strategy, seed } = options
  const { priorClose } = source
  const isPausable = source.series === 'stock' && source.barMs <= pauseBarMsMax
  const first = priorClose ?? block.open[index] ?? Number.NaN
  const breaker =
    source.series === 'index' ? watchBreaker(rules.breaker, { session, priorClose }) : undefined
  const levels = levelDays()
  levels.openSession(session, breaker)
  return {
    options,
    desk: openDesk({ cash, symbol: source.symbol, rules, tally: orderTally() }),
    losses: watchLosses(rules.drawdown, { timeMs, holding: { cash, quantity: 0n } }),
    figures: marketFigures(),
    recovery: recoveryMeter(),
    series: seriesRecorder(),
    sample: { equity: 0, price: 0, feed: 0, loss: 0, exposure: 0 },
    signalOf: openStrategy(strategy, source.barMs),
    choose: chooser(strategy, source.barMs),
    random: seededRandom(seed),
    halts: [],
    haltCount: 0,
    levels,
    session,
    breaker,
    pauses: isPausable ? watchPauses(session, first) : undefined,
    skipped: 0,
    bars: 0,
    firstMs: timeMs,
    lastMs: Number.NEGATIVE_INFINITY,
    mark: first,
    isMarketStopped: false,
    exposureMax: 0,
    shares: 0,
  }
}

function takeBar(run: Run, block: BarBlock, index: number): void {
  const timeMs = block.time[index] ?? Number.NaN
  invariant(timeMs > run.lastMs, 'bars come in the order of their times')
  run.lastMs = timeMs
  if (timeMs > run.session.closeMs && !enterSession(run, timeMs)) {
    run.skipped += 1
    return
  }
  if (timeMs <= run.session.openMs) {
    run.skipped += 1
    return
  }
  run.bars += 1
  const startMs = Math.max(run.session.openMs, timeMs - run.options.source.barMs)
  const wasStopped = run.isMarketStopped
  const stoppedAt = watchIndex(run, block, { index, startMs, timeMs })
  const isPaused = run.pauses !== undefined && watchStock(run, block, { index, startMs, timeMs })
  const isHalted = wasStopped || stoppedAt !== undefined || run.isMarketStopped || isPaused
  if (run.desk.open.length > 0) meetBar(run, block, { index, startMs, isHalted })
  markAccount(run, block, { index, timeMs, stoppedAt, isPaused })
  if (!isHalted) {
    const spread = (block.ask[index] ?? Number.NaN) - (block.bid[index] ?? Number.NaN)
    run.figures.add(block.volume[index] ?? 0, spread)
  }
  decide(run, block, { index, isPriced: !(run.isMarketStopped || isPaused) })
}

/** False when the time lies on no trading day; what was good for the day ends with it. */
function enterSession(run: Run, timeMs: number): boolean {
  const session = sessionOf(timeMs)
  if (session === undefined) return false
  if (session.day === run.session.day) return false
  expireOrders(run.desk)
  run.losses.closeSession()
  run.figures.addDay(run.mark)
  run.session = session
  run.breaker?.openSession(session)
  run.levels.openSession(session, run.breaker)
  run.isMarketStopped = run.breaker?.isHalted(session.openMs) ?? false
  return true
}

type BarPlace = { readonly index: number; readonly startMs: number; readonly timeMs: number }

/** The index price at which the market stopped within the bar. */
function watchIndex(run: Run, block: BarBlock, place: BarPlace): number | undefined {
  const { breaker } = run
  if (breaker === undefined) return undefined
  const { index, startMs, timeMs } = place
  const low = block.low[index] ?? 0
  const close = block.close[index] ?? 0
  if (breaker.isQuiet(low)) {
    breaker.notePrice(timeMs, close)
    return undefined
  }
  const bar = { startMs, endMs: timeMs, open: block.open[index] ?? 0, low, close }
  const stoppedAt = breaker.take(bar, (halt) => noteHalt(run, halt))
  run.isMarketStopped = breaker.isHalted(timeMs)
  return stoppedAt
}

function watchStock(run: Run, block: BarBlock, { index, startMs, timeMs }: BarPlace): boolean {
  const bar = {
    startMs,
    endMs: timeMs,
    open: block.open[index] ?? 0,
    close: block.close[index] ?? 0,
    bid: block.bid[index] ?? Number.NaN,
    ask: block.ask[index] ?? Number.NaN,
  }
  return run.pauses?.take(bar, (halt) => noteHalt(run, halt)) ?? false
}

function noteHalt(run: Run, halt: Halt): void {
  run.haltCount += 1
  if (run.halts.length < haltsListedMax) run.halts.push(halt)
}

type Meeting = { readonly index: number; readonly startMs: number; readonly isHalted: boolean }

function meetBar(run: Run, block: BarBlock, { index, startMs, isHalted }: Meeting): void {
  const { desk, losses, random } = run
  const before = desk.position
  const bar = {
    time: block.time[index] ?? 0,
    open: block.open[index] ?? 0,
    high: block.high[index] ?? 0,
    low: block.low[index] ?? 0,
    close: block.close[index] ?? 0,
    volume: block.volume[index] ?? 0,
  }
  matchOpen(desk, { startMs, bar, quote: quoteOf(block, index), isHalted, random })
  if (desk.position === before) return
  losses.hold({ cash: desk.cash, quantity: desk.position.quantity })
  run.shares = Number(desk.position.quantity) / 1e9
}

/** Sizes are not generated: the venue is bounded by the bar's volume instead. */
function quoteOf(block: BarBlock, index: number): Quote | undefined {
  const bid = block.bid[index] ?? Number.NaN
  const ask = block.ask[index] ?? Number.NaN
  if (Number.isNaN(bid) || Number.isNaN(ask)) return undefined
  return { time: block.time[index] ?? 0, bid, ask, bidSize: 1, askSize: 1 }
}

type Marking = {
  readonly index: number
  readonly timeMs: number
  readonly stoppedAt: number | undefined
  readonly isPaused: boolean
}

/** A market that stands still has no new price; one that has just stopped has its last. */
function markAccount(run: Run, block: BarBlock, marking: Marking): void {
  const { index, timeMs, stoppedAt, isPaused } = marking
  if (!(run.isMarketStopped || isPaused)) run.mark = block.close[index] ?? run.mark
  else if (stoppedAt !== undefined) run.mark = stoppedAt
  const { sample, mark } = run
  const equity = run.losses.mark(timeMs, mark)
  sample.equity = equity
  sample.price = mark / 1e9
  sample.feed = (block.close[index] ?? mark) / 1e9
  sample.loss = run.recovery.add(timeMs, equity)
  sample.exposure = (Math.abs(run.shares) * mark) / 1e9 / equity
  if (sample.exposure > run.exposureMax) run.exposureMax = sample.exposure
  run.series.add(timeMs, sample)
}

type Deciding = { readonly index: number; readonly isPriced: boolean }

/** Where no price was made the strategy learns nothing, but what it wanted it may still ask for. */
function decide(run: Run, block: BarBlock, { index, isPriced }: Deciding): void {
  const { desk, choose } = run
  if (isPriced) choose.hear(run.signalOf(run.mark))
  if (isPriced && desk.held.length > 0) releaseHeld(desk, marketAt(run, block, index))
  const timeMs = block.time[index] ?? 0
  if (!choose.wants(desk, timeMs, run.session.closeMs)) return
  choose.ask(desk, marketAt(run, block, index))
}

function marketAt(run: Run, block: BarBlock, index: number): DeskMarket {
  const { figures, options } = run
  const clockMs = block.arrival[index] ?? 0
  const atMs = block.time[index] ?? 0
  const volatility = block.volatility[index] ?? Number.NaN
  return {
    clockMs,
    atMs,
    price: BigInt(run.mark),
    quote: quoteOf(block, index),
    medianSpread: figures.medianSpread(),
    meanBarVolume: figures.meanVolume(),
    volatilityPercent: Number.isNaN(volatility) ? figures.dailyVolatility() : volatility,
    verdict: run.breaker?.verdict(clockMs, options.rules.limits.dataAgeMaxMs) ?? openMarket,
    band: run.pauses?.band(atMs),
    haltedUntilMs: run.pauses?.pausedUntil(clockMs),
    drawdown: run.losses.verdict(clockMs),
  }
}
