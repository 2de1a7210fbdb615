import type { Bar } from '../../market/bar.ts'
import { type BreakerState, mwcbRules } from '../../market/breaker.ts'
import type { MarketDesk, MarketEvents } from '../../market/postgres-market-apply.ts'
import { readMarkets } from '../../market/postgres-market-store.ts'
import { exchangeDay } from '../../market/session.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { PaperMarket } from '../venue/paper-market.ts'
import type { PaperVenue } from '../venue/paper-venue.ts'
import { markAccounts } from './mark-accounts.ts'
import type { OrderIntakeOptions } from './order-intake.ts'
import { readUnsettled } from './unsettled-accounts.ts'
import { isWaiting, releaseWaiting } from './waiting-orders.ts'

export type FollowMarketOptions = OrderIntakeOptions & { readonly paper: PaperVenue }

type Concerned = {
  readonly id: string
  readonly isPaper: boolean
  readonly hasOpen: boolean
  readonly hasPosition: boolean
  readonly hasWaiting: boolean
}

/**
 * What new market data mean to the accounts of that clock: resting orders of the paper venue meet
 * them, orders that wait are looked at again, bars mark positions. Doing it again changes nothing.
 */
export function followMarket(options: FollowMarketOptions): MarketDesk {
  return {
    async onMarket(events, signal) {
      const { breaker } = (await readMarkets(options.sql).catch(rethrowAsOutage))[events.clock]
      if (events.bars.length === 0) return await workQuote(options, events, breaker)
      const accounts = await readConcerned(options, events).catch(rethrowAsOutage)
      if (accounts.length === 0) return
      await workBars(options, { accounts, events, breaker, signal })
      await workQuote(options, events, breaker)
      for (const { id } of accounts.filter(({ hasWaiting }) => hasWaiting)) {
        signal.throwIfAborted()
        await releaseWaiting(options, id)
      }
      await mark(options, accounts, events)
    },
    async onQuotes({ symbols, timeMs }, signal) {
      const unsettled = await readUnsettled(options.sql, options.now()).catch(rethrowAsOutage)
      for (const { id } of unsettled.filter(({ hasWaiting }) => hasWaiting)) {
        signal.throwIfAborted()
        await releaseWaiting(options, id)
      }
      const rows = await options.sql<{ id: string }[]>`
        select a.id from postern_account a where a.clock = 'replay' and exists (
          select from postern_position p where p.account = a.id
            and p.symbol = any(${[...symbols]}::text[]) and p.quantity <> 0)
        order by a.id`.catch(rethrowAsOutage)
      await markAccounts(options, idsOf(rows), timeMs)
    },
  }
}

/** By look-ups of each account: the open orders of all are planned as a scan of all orders that ever were. */
async function readConcerned(
  { sql, now }: FollowMarketOptions,
  { clock, symbol }: MarketEvents,
): Promise<readonly Concerned[]> {
  return await sql<Concerned[]>`
    select a.id, a.venue = 'paper' as "isPaper", a.open_orders > 0 as "hasOpen",
      p.account is not null as "hasPosition",
      exists (select from postern_order o where o.account = a.id
        and ${isWaiting(sql, now())}) as "hasWaiting"
    from postern_account a join postern_market m on m.clock = a.clock
      left join postern_position p on p.account = a.id and p.symbol = ${symbol} and p.quantity <> 0
    where a.clock = ${clock} and (a.open_orders > 0 or p.account is not null)
    order by a.id`
}

const idsOf = (accounts: readonly { readonly id: string }[]) => accounts.map(({ id }) => id)

type Working = {
  readonly accounts: readonly Concerned[]
  readonly events: MarketEvents
  readonly breaker: BreakerState | undefined
  readonly signal: AbortSignal
}

/** Bar by bar: what is due by then has expired before it trades. */
async function workBars({ paper }: FollowMarketOptions, working: Working): Promise<void> {
  const { events, breaker, signal } = working
  const ofPaper = working.accounts.filter(({ isPaper }) => isPaper)
  if (ofPaper.length === 0) return
  const ids = idsOf(ofPaper)
  const open = new Set(idsOf(ofPaper.filter(({ hasOpen }) => hasOpen)))
  for (const bar of events.bars) {
    signal.throwIfAborted()
    await paper.expireDue(ids, bar.time)
    if (open.size === 0) continue
    const market = marketOf({ bar, breaker })
    await paper.onMarket(() => Promise.resolve(open), events.symbol, market)
  }
}

/**
 * The venue finds the resting orders that it reaches. What else a quote means is seen to once for all
 * symbols of an upload, in `onQuotes`: eight of them come at once.
 */
async function workQuote(
  { sql, paper, now }: FollowMarketOptions,
  { clock, symbol, quote }: MarketEvents,
  breaker: BreakerState | undefined,
): Promise<void> {
  if (quote === undefined) return
  const clockMs = clock === 'live' ? now().getTime() : quote.time
  const isHalted = isHaltedAt(breaker, clockMs)
  const market = { clockMs, quote, bar: undefined, isHalted, barVolumeUsed: 0n }
  const filter = (accounts: readonly string[]) => paperAccounts(sql, clock, accounts)
  await paper.onMarket(filter, symbol, market)
}

async function paperAccounts(
  sql: FollowMarketOptions['sql'],
  clock: MarketEvents['clock'],
  accounts: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ id: string }[]>`
    select id from postern_account
    where id = any(${[...accounts]}::text[]) and clock = ${clock} and venue = 'paper'`.catch(
    rethrowAsOutage,
  )
  return new Set(idsOf(rows))
}

function marketOf({
  bar,
  breaker,
}: {
  readonly bar: Bar
  readonly breaker: BreakerState | undefined
}): PaperMarket {
  const isHalted = isHaltedAt(breaker, bar.time)
  return { clockMs: bar.time, quote: undefined, bar, isHalted, barVolumeUsed: 0n }
}

/** By the last halt; after a close by level 3 nothing of that day trades any more. */
export function isHaltedAt(breaker: BreakerState | undefined, timeMs: number): boolean {
  if (breaker === undefined) return false
  if (breaker.status === 'CLOSED_L3' && exchangeDay(timeMs) === breaker.day) return true
  const { haltUntil } = breaker
  return haltUntil !== null && timeMs < haltUntil && timeMs >= haltUntil - mwcbRules.haltMs
}

/** By bars; what quotes move is marked in `onQuotes`, or by the desk keeper. */
async function mark(
  options: FollowMarketOptions,
  accounts: readonly Concerned[],
  { bars }: MarketEvents,
): Promise<void> {
  const timeMs = bars.at(-1)?.time
  const ids = idsOf(accounts.filter(({ hasPosition }) => hasPosition))
  if (timeMs !== undefined) await markAccounts(options, ids, timeMs)
}
