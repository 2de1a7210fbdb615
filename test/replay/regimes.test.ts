import { describe, expect, test } from 'bun:test'
import { type ReplayRules, replayRules } from '#core/replay/replay-rules.ts'
import { scenarioNames } from '#core/replay/scenario.ts'
import { replayStrategies } from '#core/replay/strategy.ts'
import { haltWindows } from './halt-windows.ts'
import { cash, type Regime, runRegime } from './replay-world.ts'

const seeds = [1, 2, 3, 4, 5, 6, 7, 8] as const
const rules = replayRules(cash)

/** Rules that must not pass: each takes one protection away. */
const withoutBreaker: ReplayRules = {
  ...rules,
  breaker: { ...rules.breaker, levels: [70, 80, 90] },
}
const withoutHalt: ReplayRules = { ...rules, breaker: { ...rules.breaker, haltMs: 0 } }
const withoutSizing: ReplayRules = { ...rules, limits: { ...rules.limits, sizing: 'off' } }

/** What a flash crash must keep to. */
function crashFaults({ result }: Regime): string[] {
  const { maxDrawdownPercent, recoveryMinutes } = result.risk
  const isTripped = result.halts.listed.some(({ kind }) => kind === 'L1')
  return [
    ...(maxDrawdownPercent < 25 ? [] : ['drawdown']),
    ...(isTripped ? [] : ['not tripped']),
    ...(recoveryMinutes !== null && recoveryMinutes < 120 ? [] : ['recovery']),
  ]
}

/** Trades inside a halt, as the rule's text has it. */
function haltedTrades({ bars, result }: Regime): string[] {
  const windows = haltWindows(bars)
  return result.trades.listed
    .filter(({ time }) => {
      const timeMs = Date.parse(time)
      return windows.some(({ fromMs, untilMs }) => timeMs >= fromMs && timeMs < untilMs)
    })
    .map(({ time }) => time)
}

async function meanEntry(options: Parameters<typeof runRegime>[0]): Promise<number> {
  const { result } = await runRegime({ strategy: 'momentum', ...options })
  return result.orders.meanEntryShares ?? Number.NaN
}

describe('a flash crash', () => {
  test.each(seeds)(
    'seed %i: trips the breaker, loses under 25 %, is regained in 120 minutes',
    async (seed) => {
      const regime = await runRegime({ scenario: 'flash-crash', seed })
      expect(crashFaults(regime)).toEqual([])
      expect(regime.result.risk.maxDrawdownPercent).toBeGreaterThan(7 * 0.9)
    },
  )

  test('without the breaker the check fails: nothing trips', async () => {
    const regime = await runRegime({ scenario: 'flash-crash', seed: 7, rules: withoutBreaker })
    expect(crashFaults(regime)).toEqual(['not tripped'])
    expect(regime.result.risk.maxDrawdownPercent).toBeGreaterThan(15)
  })

  test('of 35 % loses under 25 % with the breaker, and more without it', async () => {
    const crash = { scenario: 'flash-crash', crashPercent: 35, seed: 7 } as const
    const guarded = await runRegime(crash)
    const unguarded = await runRegime({ ...crash, rules: withoutBreaker })
    expect(guarded.result.risk.maxDrawdownPercent).toBeLessThan(25)
    expect(crashFaults(unguarded)).toContain('drawdown')
  })
})

describe('nobody trades while the market is halted', () => {
  const crashes = ['flash-crash', 'breaker-1', 'breaker-2', 'breaker-3'] as const
  const runs = crashes.flatMap((scenario) =>
    replayStrategies.map((strategy) => ({ scenario, strategy })),
  )

  test.each(runs)('$scenario, $strategy', async ({ scenario, strategy }) => {
    let halts = 0
    for (const seed of seeds) {
      const regime = await runRegime({ scenario, strategy, seed })
      expect(haltedTrades(regime)).toEqual([])
      halts += haltWindows(regime.bars).length
    }
    expect(halts).toBeGreaterThanOrEqual(seeds.length)
  })

  test('a halt of no length lets trades through, and the check sees them', async () => {
    const trades: string[] = []
    for (const seed of seeds) {
      const strategy = 'mean_reversion'
      trades.push(
        ...haltedTrades(
          await runRegime({ scenario: 'flash-crash', strategy, seed, rules: withoutHalt }),
        ),
      )
    }
    expect(trades.length).toBeGreaterThan(0)
  })
})

describe('the breaker trips where the rule says', () => {
  test.each([
    ['breaker-1', [1]],
    ['breaker-2', [1, 2]],
    ['breaker-3', [1, 2, 3]],
    ['calm', []],
    ['volatility', []],
    ['message-load', []],
  ] as const)(
    '%s: levels %j on its first day, at the times of the text',
    async (scenario, levels) => {
      for (const seed of seeds) {
        const { bars, result } = await runRegime({ scenario, seed })
        const windows = haltWindows(scenario === 'message-load' ? [] : bars)
        expect(windows.map(({ level }) => level)).toEqual([...levels])
        expect(result.halts.listed.map(({ kind, from }) => `${kind} ${from}`)).toEqual(
          windows.map(({ level, fromMs }) => `L${level} ${new Date(fromMs).toISOString()}`),
        )
      }
    },
  )

  test('other levels trip at other times', async () => {
    const later = { ...rules, breaker: { ...rules.breaker, levels: [7.5, 13, 20] as const } }
    const first = await runRegime({ scenario: 'breaker-1', seed: 7 })
    const second = await runRegime({ scenario: 'breaker-1', seed: 7, rules: later })
    expect(second.result.halts.listed[0]?.from).not.toEqual(first.result.halts.listed[0]?.from)
  })
})

describe('orders become smaller', () => {
  test.each([40.01, 45, 60, 90])('below half of a calm market’s at VIX %d', async (vix) => {
    for (const seed of seeds) {
      const calm = await meanEntry({ scenario: 'calm', seed, bars: 1_950 })
      const storm = await meanEntry({ scenario: 'volatility', vix: vix + 2.5, seed, bars: 1_950 })
      expect(storm).toBeLessThan(calm / 2)
    }
  })

  test('and stay whole where sizing is switched off: the check can fail', async () => {
    const calm = await meanEntry({ scenario: 'calm', seed: 7, bars: 1_950 })
    const storm = await meanEntry({
      scenario: 'volatility',
      seed: 7,
      bars: 1_950,
      rules: withoutSizing,
    })
    expect(storm).toBeGreaterThan(calm / 2)
  })

  test.each(seeds)('seed %i: when five times the messages arrive late', async (seed) => {
    const once = await meanEntry({ scenario: 'message-load', load: 1, seed, bars: 3_900 })
    const fiveTimes = await meanEntry({ scenario: 'message-load', seed, bars: 19_500 })
    expect(fiveTimes).toBeLessThan(once)
  })

  test('and not for late data where sizing is switched off', async () => {
    const options = { scenario: 'message-load', seed: 7, rules: withoutSizing } as const
    const once = await meanEntry({ ...options, load: 1, bars: 3_900 })
    const fiveTimes = await meanEntry({ ...options, bars: 19_500 })
    expect(Math.abs(fiveTimes / once - 1)).toBeLessThan(0.1)
  })
})

test.each(
  scenarioNames.flatMap((scenario) => replayStrategies.map((strategy) => ({ scenario, strategy }))),
)(
  '$scenario with $strategy ends without an error, and its books are right',
  async ({ scenario, strategy }) => {
    for (const seed of seeds) {
      const { result } = await runRegime({ scenario, strategy, seed })
      const { byStatus, total } = result.orders
      expect(Object.values(byStatus).reduce((sum, count) => sum + count, 0)).toBe(total)
      expect(result.account.equity).toMatch(/^\d+(\.\d+)?$/)
      expect(result.risk.maxExposurePercent).toBeLessThanOrEqual(100)
    }
  },
)

test('a market without liquidity is told as such, and traded again when it is back', async () => {
  const denials = new Set<string>()
  let late = 0
  for (const seed of seeds) {
    const { result } = await runRegime({
      scenario: 'liquidity-crisis',
      strategy: 'mean_reversion',
      seed,
    })
    for (const code of Object.keys(result.orders.byRejectCode)) denials.add(code)
    late += result.trades.listed.filter(({ time }) => time > '2024-03-04T19:00:00Z').length
  }
  expect([...denials]).toContain('SPREAD_TOO_WIDE')
  expect(late).toBeGreaterThan(0)
})

test.each(seeds)('seed %i: after level 3 the next day is traded again', async (seed) => {
  const { bars, run, result } = await runRegime({
    scenario: 'breaker-3',
    strategy: 'momentum',
    seed,
  })
  const secondDay = result.trades.listed.filter(({ time }) => time > '2024-03-05')
  expect(secondDay.length).toBeGreaterThan(0)
  expect(run.mark).toBe(bars.at(-1)?.close ?? Number.NaN)
})
