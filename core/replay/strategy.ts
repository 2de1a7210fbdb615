import { rollingWindow } from '../market/rolling-window.ts'
import {
  type MomentumRules,
  meanReversion,
  meanReversionRules,
  momentum,
  momentumRules,
} from '../market/signals.ts'

export const replayStrategies = ['buy_and_hold', 'momentum', 'mean_reversion'] as const
export type ReplayStrategy = (typeof replayStrategies)[number]

/** What a bar's close makes a strategy want. */
export type Signal = 'buy' | 'sell' | 'hold'

/** Half an hour without its last five minutes, and a move worth its costs: what a day can show. */
const intradayMomentum: MomentumRules = { lookback: 30, skip: 5, threshold: 0.002 }

/** Bars of an hour or longer are taken as a day's: few of them, or one, make a session. */
export const dailyBarMs = 3_600_000

/** Fed every close in turn; long or out of the market, never short. */
export function openStrategy(name: ReplayStrategy, barMs: number): (close: number) => Signal {
  if (name === 'buy_and_hold') return () => 'buy'
  if (name === 'momentum') {
    // The published rules were made for days.
    const rules = barMs < dailyBarMs ? intradayMomentum : momentumRules
    const closes = rollingWindow(rules.lookback + 1)
    return (close) => {
      closes.push(close)
      return momentum(closes, rules).signal
    }
  }
  const closes = rollingWindow(meanReversionRules.count)
  return (close) => {
    closes.push(close)
    return meanReversion(closes).signal
  }
}
