import type { Sql } from 'postgres'
import { breakerStateSchema } from '../../market/breaker.ts'
import { marketClocks, readMarkets } from '../../market/postgres-market-store.ts'
import { isOpen } from '../../market/session.ts'
import type { Metrics } from '../../metrics.ts'
import type { MarketClock } from './desk-view.ts'
import { readSwitches } from './switches.ts'

type Working = {
  readonly sql: Sql
  readonly now: () => Date
  readonly metrics?: Metrics
}

type Trading = { readonly clock: MarketClock; readonly hasOpen: boolean }

const statuses = breakerStateSchema.shape.status.options

/** The market as the desk's accounts depend on it. Without metrics nothing is read. */
export async function setMarketGauges(
  { sql, now, metrics }: Working,
  accounts: readonly Trading[],
): Promise<void> {
  if (metrics === undefined) return
  const markets = await readMarkets(sql)
  metrics.tradingSwitches.reset()
  for (const { scope, state } of await readSwitches(sql, now())) {
    metrics.tradingSwitches.inc({ scope, state })
  }
  for (const clock of marketClocks) {
    const current = markets[clock].breaker?.status ?? 'UNKNOWN'
    for (const status of statuses) {
      metrics.marketBreaker.set({ clock, status }, status === current ? 1 : 0)
    }
  }
  const nowMs = now().getTime()
  const isAwaited =
    isOpen(nowMs) && accounts.some(({ clock, hasOpen }) => clock === 'live' && hasOpen)
  const { timeMs } = markets.live
  metrics.marketStaleSeconds.set(isAwaited ? (nowMs - (timeMs ?? 0)) / 1_000 : 0)
}

/** Another process knows better. */
export function clearMarketGauges(metrics: Metrics | undefined): void {
  metrics?.marketBreaker.reset()
  metrics?.tradingSwitches.reset()
  metrics?.marketStaleSeconds.set(0)
}
