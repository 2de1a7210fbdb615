import type { EffectiveState } from '../check-input.ts'
import type { DeskSql } from './read-rows.ts'

export type SwitchRow = {
  readonly scope: 'global' | 'account' | 'strategy' | 'symbol'
  readonly key: string
  readonly state: EffectiveState['state']
  readonly reason: string
}

/** Every switch that is not ACTIVE; there are few, and each concerns somebody. */
export async function readSwitches(sql: DeskSql, now: Date): Promise<readonly SwitchRow[]> {
  return await sql<SwitchRow[]>`
    select scope, key, state, reason from postern_trading_state
    where state <> 'ACTIVE' and (until is null or until > ${now})`
}

/** The worst switch that concerns an order. */
export function effectiveState(
  switches: readonly SwitchRow[],
  order: {
    readonly account: string
    readonly symbol: string
    readonly strategy: string | undefined
  },
): EffectiveState {
  const mine = switches.filter(({ scope, key }) => scope === 'global' || order[scope] === key)
  const worst = mine.find(({ state }) => state === 'HALTED') ?? mine[0]
  if (worst === undefined) return { state: 'ACTIVE', scope: 'global', reason: '' }
  const { scope, key, state, reason } = worst
  return { state, scope: key === '' ? scope : `${scope} ${key}`, reason }
}
