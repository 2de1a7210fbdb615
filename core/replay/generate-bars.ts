import { invariant } from '../invariant.ts'
import { nanosPerCent, nanosPerUnit } from '../market/bar.ts'
import { nextSession, type Session, sessionOfDay } from '../market/session.ts'
import { seededRandom } from '../order/venue/seeded-random.ts'
import { type BarBlock, type BarSource, blockBars, newBlock, openManifest } from './bar-block.ts'
import { curveReader } from './curve.ts'
import { feedDelay } from './feed-delay.ts'
import { pricePath } from './price-path.ts'
import {
  type Scenario,
  type ScenarioName,
  type ScenarioOptions,
  scenarioOf,
  sessionMinutes,
  sessionMs,
} from './scenario.ts'

export type GenerateOptions = ScenarioOptions & {
  readonly scenario: ScenarioName
  readonly seed: number
  /** The scenario's sessions unless given; the market goes on as it ended. */
  readonly bars?: number | undefined
  /** Length of a bar of the calm market; whole minutes hold whole bars. */
  readonly barSeconds?: number | undefined
  /** `YYYY-MM-DD`; the first session is that day's or the next one after it. */
  readonly firstDay?: string | undefined
}

/** A Monday without a holiday near it, in daylight time's last week of winter. */
const firstDayDefault = '2024-03-04'
/** Far enough from the calendar's end for twenty years of minutes. */
const firstDayOfLongRuns = '2014-03-03'
/** Eight years. */
const longRunBars = 8 * 252 * sessionMinutes

const startPrice = 100
const minuteMs = 60_000
const barSecondsDefault = 60
/** Shares a minute of the calm market. */
const calmVolume = 400_000
const volumeNoise = 0.5
/** A range of one percent doubles the volume. */
const rangeVolume = 100
/** Two basis points of the price: a cent or two at 100. */
const calmSpread = 0.0002
const centsPerUnit = 100

/** The name of what is traded in a generated market. */
const symbols = { index: 'INDEX', stock: 'STOCK' } as const

/**
 * A scenario's market, lazily and from its seed alone: two runs are equal to the byte. Prices are
 * whole cents; an index is traded as if it were one instrument. Between two sessions nothing moves
 * but what the scenario says.
 */
export function generateBars(options: GenerateOptions): BarSource {
  const plan = planOf(options)
  const { scenario, barMs, bars, seed } = plan
  const parameters = manifestParameters(options.scenario, plan)
  const manifest = openManifest({ model: 'bates-bridge-1', parameters, seed })
  function* blocks(): Generator<BarBlock> {
    for (const block of generateBlocks(plan)) {
      manifest.add(block)
      yield block
    }
    manifest.close()
  }
  return {
    symbol: symbols[scenario.series],
    series: scenario.series,
    barMs,
    priorClose: startPrice * nanosPerUnit,
    barsExpected: bars,
    blocks: blocks(),
    manifest: manifest.manifest,
  }
}

type Plan = {
  readonly scenario: Scenario
  readonly seed: number
  readonly barMs: number
  readonly bars: number
  readonly firstDay: string
}

function planOf(options: GenerateOptions): Plan {
  const scenario = scenarioOf(options.scenario, options)
  const barMs = ((options.barSeconds ?? barSecondsDefault) * 1_000) / scenario.load
  invariant(minuteMs % barMs === 0, 'a minute holds a whole number of bars')
  const bars = options.bars ?? (scenario.sessions * sessionMs) / barMs
  const isLong = bars * barMs > longRunBars * minuteMs
  const firstDay = options.firstDay ?? (isLong ? firstDayOfLongRuns : firstDayDefault)
  return { scenario, seed: options.seed, barMs, bars, firstDay }
}

function manifestParameters(name: ScenarioName, { scenario, barMs, firstDay }: Plan) {
  const { series, knots, vix, gaps, spread, volume, load } = scenario
  return {
    ...{ scenario: name, series, barSeconds: barMs / 1_000, firstDay, startPrice },
    ...{ knots, vix, gaps: [...gaps], spread, volume, load },
  }
}

function* generateBlocks(plan: Plan): Generator<BarBlock> {
  const { barMs, bars } = plan
  const write = barWriter(plan)
  const block = newBlock()
  let session = firstSession(plan.firstDay)
  let sessionNumber = 0
  let start = session.openMs
  for (let bar = 0; bar < bars; bar += 1) {
    if (start + barMs > session.closeMs) {
      session = sessionAfter(session)
      sessionNumber += 1
      start = session.openMs
    }
    block.time[block.length] = start + barMs
    write(block, sessionNumber, (start - session.openMs) / minuteMs)
    start += barMs
    if (block.length < blockBars && bar < bars - 1) continue
    yield block
    block.length = 0
  }
}

function firstSession(day: string): Session {
  const session = sessionOfDay(day) ?? nextSession(Date.parse(day))
  invariant(session !== undefined, 'the first day lies within the calendar')
  return session
}

function sessionAfter({ closeMs }: Session): Session {
  const session = nextSession(closeMs)
  invariant(session !== undefined, 'the bars end within the calendar')
  return session
}

/** Writes the bar that begins at a minute of a session. */
type WriteBar = (block: BarBlock, sessionNumber: number, minute: number) => void

/** Each of price, book and delay draws from a sequence of its own: one does not shift another. */
function barWriter({ scenario, seed, barMs }: Plan): WriteBar {
  const path = pricePath({ scenario, barMinutes: barMs / minuteMs, random: seededRandom(seed) })
  const writeBook = bookWriter({ scenario, barMs, random: seededRandom(seed + 1) })
  const delayMs = feedDelay({ load: scenario.load, barMs, random: seededRandom(seed + 2) })
  let closed = priceOf(0)
  return (block, sessionNumber, minute) => {
    const gap = minute === 0 ? (scenario.gaps.get(sessionNumber) ?? 0) / 100 : 0
    const step = path.next(sessionNumber * sessionMinutes + minute, gap)
    const index = block.length
    block.open[index] = gap === 0 ? closed : priceOf(step.open)
    block.high[index] = priceOf(step.high)
    block.low[index] = priceOf(step.low)
    closed = priceOf(step.close)
    block.close[index] = closed
    block.volatility[index] = step.vix
    block.arrival[index] = (block.time[index] ?? 0) + delayMs()
    writeBook(block, sessionNumber, minute)
    block.length = index + 1
  }
}

type BookOptions = Pick<Plan, 'scenario' | 'barMs'> & { readonly random: () => number }

/** Bid, ask and volume: busy at both ends of the day, and where the price moves. */
function bookWriter({ scenario, barMs, random }: BookOptions): WriteBar {
  const spreadAt = curveReader(scenario.spread)
  const volumeAt = curveReader(scenario.volume)
  const barVolume = (calmVolume * barMs) / minuteMs
  return (block, sessionNumber, minute) => {
    const index = block.length
    const at = sessionNumber * sessionMinutes + minute
    const cents = (block.close[index] ?? 0) / nanosPerCent
    const spread = calmSpread * spreadAt(at) * cents * (0.75 + random() / 2)
    const spreadCents = Math.max(1, Math.round(spread))
    const bid = Math.max(1, cents - Math.floor(spreadCents / 2))
    block.bid[index] = bid * nanosPerCent
    block.ask[index] = (bid + spreadCents) * nanosPerCent
    const place = (2 * minute) / sessionMinutes - 1
    const range = ((block.high[index] ?? 0) - (block.low[index] ?? 0)) / nanosPerCent / cents
    const busy = (0.7 + 0.9 * place * place) * (1 + rangeVolume * range)
    const noise = 1 + volumeNoise * (2 * random() - 1)
    block.volume[index] = Math.round(barVolume * volumeAt(at) * busy * noise)
  }
}

/** Whole cents, above 0: decimals begin here. */
function priceOf(logarithm: number): number {
  const cents = Math.round(startPrice * centsPerUnit * Math.exp(logarithm))
  return Math.max(1, cents) * nanosPerCent
}
