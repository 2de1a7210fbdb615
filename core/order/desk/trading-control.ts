import type { TransactionSql } from 'postgres'
import { z } from 'zod'
import { type Caller, personOf } from '../../access/principal.ts'
import { recordedTransaction } from '../../audit/journal-rows.ts'
import { callerRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { rearmDrawdown } from '../../market/drawdown-breaker.ts'
import { readMarkets } from '../../market/postgres-market-store.ts'
import { databaseOutage, rethrowAsOutage } from '../../postgres/outage.ts'
import type { TradingState } from '../check-input.ts'
import { cancelOpenOrders, type HaltedOrders } from './cancel-open-orders.ts'
import type { DeskConnection } from './desk-transaction.ts'
import { marketClocks } from './desk-view.ts'
import { drawdownSchema } from './lock-accounts.ts'
import { drawdownJson } from './mark-accounts.ts'
import { lockSwitch, storeSwitch } from './switch-rows.ts'
import {
  haltSwitch,
  type Rearmed,
  rearmSwitch,
  type SwitchName,
  stateAt,
  type TradingSwitch,
} from './trading-switch.ts'

export type HaltRequest = SwitchName & {
  readonly state: 'HALTED' | 'REDUCING'
  readonly reason: string
  readonly until: Date | undefined
}
export type HaltAnswer = HaltedOrders & { readonly state: TradingState }

export type RearmRequest = SwitchName & { readonly reason: string }
export type RearmAnswer = { readonly status: 'active' | 'awaiting_second' }

/** The kill switch. Each change commits with its audit record. */
export type TradingControl = {
  /**
   * The switch is durable before the first order is cancelled; where cancelling breaks off
   * (`database.unavailable`), asking again goes on, and workers cancel what they come across.
   */
  halt(request: HaltRequest, caller: Caller): Promise<HaltAnswer>
  /** Throws `trading.second_principal_needed` when the same principal asks twice. */
  rearm(request: RearmRequest, caller: Caller): Promise<RearmAnswer>
}

export function tradingControl(desk: DeskConnection): TradingControl {
  return {
    async halt(request, caller) {
      const state = await setSwitch(desk, request, caller).catch(rethrowAsOutage)
      if (request.state !== 'HALTED') return { state, canceled: 0, canceling: 0, left: 0 }
      const orders = await cancelOpenOrders(desk, request).catch(rethrowUnfinished)
      return { state, ...orders }
    },
    rearm: (request, caller) => rearmTrading(desk, request, caller).catch(rethrowAsOutage),
  }
}

function rethrowUnfinished(error: unknown): never {
  const outage = databaseOutage(error)
  if (outage === undefined) throw error
  throw new PosternError(outage.code, {
    detail: 'Trading is halted, but not every open order was cancelled; send the same halt again.',
    retryAfterSeconds: outage.retryAfterSeconds ?? 1,
    cause: error,
  })
}

function targetOf({ scope, key }: SwitchName): string {
  return scope === 'global' ? 'trading/global' : `${scope}/${key}`
}

async function setSwitch(
  { sql, journal, now }: DeskConnection,
  request: HaltRequest,
  caller: Caller,
): Promise<TradingState> {
  return await recordedTransaction(sql, journal, async (transaction, record) => {
    const at = now()
    if (request.scope === 'account') await lockAccount(transaction, request.key)
    const current = await lockSwitch(transaction, request, at)
    const next = haltSwitch(current, { ...request, by: personOf(caller.principal), at })
    const previous = stateAt(current, at)
    if (next === undefined) return previous
    await storeSwitch(transaction, request, next)
    const { state, reason, until } = next
    await record([
      callerRecord(caller, {
        id: Bun.randomUUIDv7(),
        type: 'trading.state_changed',
        at,
        target: targetOf(request),
        outcome: 'ok',
        details: { state, previous, reason, until: until?.toISOString() },
      }),
    ])
    return state
  })
}

async function rearmTrading(
  { sql, journal, now }: DeskConnection,
  request: RearmRequest,
  caller: Caller,
): Promise<RearmAnswer> {
  return await recordedTransaction(sql, journal, async (transaction, record) => {
    const at = now()
    // Before the switch, as where an account is marked to the market.
    const account =
      request.scope === 'account' ? await lockAccount(transaction, request.key) : undefined
    const current = await lockSwitch(transaction, request, at)
    const rearmed = rearmSwitch(current, {
      ...{ at, reason: request.reason },
      by: personOf(caller.principal),
    })
    if (rearmed.kind === 'already_active') return { status: 'active' }
    if (rearmed.kind === 'second_needed') throw secondNeeded()
    await storeSwitch(transaction, request, rearmed.next)
    if (rearmed.kind === 'active' && account !== undefined) {
      await rearmAccount(transaction, account, at)
    }
    await record([rearmRecord(caller, { request, current, rearmed, at })])
    return { status: rearmed.kind }
  })
}

function rearmRecord(
  caller: Caller,
  about: {
    readonly request: RearmRequest
    readonly current: TradingSwitch
    readonly rearmed: Extract<Rearmed, { readonly next: TradingSwitch }>
    readonly at: Date
  },
) {
  const { request, current, rearmed, at } = about
  const isActive = rearmed.kind === 'active'
  return callerRecord(caller, {
    id: Bun.randomUUIDv7(),
    type: isActive ? 'trading.state_changed' : 'trading.rearm_requested',
    at,
    target: targetOf(request),
    outcome: 'ok',
    details: {
      state: rearmed.next.state,
      previous: stateAt(current, at),
      reason: request.reason,
      rearmBy: isActive ? current.rearmBy : rearmed.next.rearmBy,
    },
  })
}

function secondNeeded(): PosternError {
  return new PosternError('trading.second_principal_needed', {
    detail: 'This principal has asked already; another one must ask for the same before it counts.',
  })
}

const accountRow = z.object({
  id: z.string(),
  clock: z.enum(marketClocks),
  drawdown: drawdownSchema.nullable(),
})
type AccountRow = z.infer<typeof accountRow>

/** A halt of an account that is not there would protect nothing. */
async function lockAccount(sql: TransactionSql, id: string): Promise<AccountRow> {
  const rows = await sql`
    select id, clock, drawdown from postern_account where id = ${id} for update`
  const [row] = z.array(accountRow).parse(rows)
  if (row !== undefined) return row
  throw new PosternError('account.not_found', { detail: 'There is no account of this name.' })
}

/** The portfolio-loss breaker had halted it too; the next loss is measured from what is there now. */
async function rearmAccount(
  sql: TransactionSql,
  { id, clock, drawdown }: AccountRow,
  at: Date,
): Promise<void> {
  if (drawdown === null || !drawdown.isHalted) return
  const { replay } = await readMarkets(sql)
  const clockMs = clock === 'live' ? at.getTime() : (replay.timeMs ?? noonOf(drawdown.day))
  const next = rearmDrawdown(drawdown, clockMs)
  await sql`
    update postern_account set drawdown = ${drawdownJson(next)}::text::jsonb where id = ${id}`
}

function noonOf(day: string): number {
  return Date.parse(`${day}T17:00:00Z`)
}
