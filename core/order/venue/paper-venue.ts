import type { Sql } from 'postgres'
import { groupReads } from '../../postgres/group-reads.ts'
import { venueCapabilities } from '../desk/venue-capabilities.ts'
import type { OrderTerms } from '../order.ts'
import type { SubmitResult, Venue } from '../venue.ts'
import { ownRejection } from './own-rejection.ts'
import { type PaperChange, paperCancels, replacePaperOrder } from './paper-change.ts'
import { type PaperFaults, paperDice } from './paper-faults.ts'
import { type PaperMarket, reachOf } from './paper-market.ts'
import {
  expireOrder,
  type PaperRules,
  type PaperStep,
  refusalOf,
  viewOf,
  workTogether,
} from './paper-order.ts'
import { type PaperStream, paperStream } from './paper-stream.ts'
import { type PaperMarkets, paperSubmit, rulesFor } from './paper-submit.ts'
import {
  type Booked,
  changeOrders,
  dueOrders,
  fillsAfter,
  findOrders,
  heldPositions,
  lastReportId,
  openOrders,
  reachedOrders,
  reportsAfter,
} from './postgres-paper-book.ts'
import type { VenueReads } from './venue-calls.ts'
import { rethrowAsVenueOutage, spareVenue, throwIfGivenUp, unlessGivenUp } from './venue-outage.ts'

/** Changes of one statement. */
const changesMax = 256
/** Accounts that are read in one. */
const accountsMax = 64

export type PaperVenueOptions = PaperMarkets & {
  readonly sql: Sql
  /** A pool of exactly one connection: batches of orders are pipelined on it. */
  readonly grouped: Sql
  readonly rules: PaperRules
  readonly faults?: PaperFaults | undefined
  /** How late, at most, reports that another process committed are told. */
  readonly pollMs?: number
}

/** Of the accounts, those that are meant. */
export type AccountFilter = (accounts: readonly string[]) => Promise<ReadonlySet<string>>

export type PaperVenue = Venue & {
  /**
   * Holds the open orders of a symbol against its market, those of each account as if nobody else
   * were there; returns how many changed. `filter` is asked about the accounts whose orders it
   * reaches. Before `expireDue` of the same clock, or a day's last bar finds its orders gone. A bar
   * that is applied once more fills no order of `strict` twice, but lends its volume once more.
   */
  onMarket(filter: AccountFilter, symbol: string, market: PaperMarket): Promise<number>
  /** Ends what is due at the market clock (milliseconds); returns how many orders that were. */
  expireDue(accounts: readonly string[], clockMs: number): Promise<number>
  /** Resolves when no order and no cancel is waiting for its commit. */
  idle(): Promise<void>
}

const capabilities = { ...venueCapabilities('paper'), replace: true, shorting: true }

/** On purpose: a rehearsal of losses is not to be ended by them. */
const noAnswer: SubmitResult = spareVenue({ kind: 'unknown', reason: 'the answer was lost' })
const givenUp: SubmitResult = { kind: 'unknown', reason: 'given up before its answer' }

/**
 * A venue of its own in Postgres: an order it has accepted, and every report of it, survives the
 * process. A marketable order is filled in the commit that accepts it.
 */
export function paperVenue(options: PaperVenueOptions): PaperVenue {
  const { sql } = options
  const dice = paperDice(options.faults ?? { seed: options.rules.seed })
  const streams = new Set<PaperStream>()
  const push = ({ reports }: Booked) => {
    for (const stream of streams) stream.push(reports)
  }
  const entries = paperSubmit({ ...options, push })

  async function change(steps: readonly PaperStep[], successor?: PaperStep): Promise<Booked> {
    const booked = await changeOrders(sql, steps, successor)
    push(booked)
    return booked
  }

  const cancels = paperCancels({ sql, change })

  async function submit(terms: OrderTerms, signal: AbortSignal): Promise<SubmitResult> {
    throwIfGivenUp(signal)
    const refusal = refusalOf(terms)
    if (refusal !== undefined) return ownRejection(refusal)
    const own = await options.terms?.(terms.account)
    if (dice.losesSubmit() || dice.happens(own?.loseSubmit ?? 0)) return noAnswer
    const isSilent = dice.losesAck() || dice.happens(own?.loseAck ?? 0)
    const placed = await unlessGivenUp(entries.submit({ terms, isSilent }), signal, givenUp)
    return isSilent && placed.kind === 'accepted' ? noAnswer : placed
  }

  return {
    name: 'paper',
    capabilities,
    submit,
    async cancel(reference, signal) {
      throwIfGivenUp(signal)
      return await unlessGivenUp(cancels.cancel(reference), signal, 'unknown')
    },
    async replace(reference, successor, signal) {
      throwIfGivenUp(signal)
      const replaced = replacePaperOrder({ ...options, change }, { reference, successor })
      return await unlessGivenUp(replaced, signal, givenUp)
    },
    ...paperReads(options),
    async stream(handlers) {
      const start = await lastReportId(sql).catch(rethrowAsVenueOutage)
      const read = (after: bigint) => reportsAfter(sql, after)
      const stream = paperStream({ ...options, handlers, dice, start, read })
      streams.add(stream)
      return {
        async close() {
          streams.delete(stream)
          await stream.close()
        },
      }
    },
    ...paperMarketSteps({ ...options, change }),
    async idle() {
      await Promise.all([entries.idle(), cancels.idle()])
    },
  }
}

function paperMarketSteps(
  context: PaperChange & PaperMarkets & { readonly rules: PaperRules },
): Pick<PaperVenue, 'onMarket' | 'expireDue'> {
  const { sql, change } = context
  async function changeAll(steps: readonly PaperStep[]): Promise<number> {
    let changed = 0
    for (let at = 0; at < steps.length; at += changesMax) {
      const { orders } = await change(steps.slice(at, at + changesMax))
      changed += orders.size
    }
    return changed
  }

  return {
    async onMarket(filter, symbol, market) {
      const reached = { symbol, reach: reachOf(market) }
      const orders = await reachedOrders(sql, reached).catch(rethrowAsVenueOutage)
      if (orders.length === 0) return 0
      const byAccount = Map.groupBy(orders, (order) => order.account)
      const accounts = await filter([...byAccount.keys()])
      const steps = await Promise.all(
        [...byAccount]
          .filter(([account]) => accounts.has(account))
          .map(async ([account, own]) =>
            workTogether(own, market, await rulesFor(context, account)),
          ),
      )
      const changed = steps.flat().filter((step) => step !== undefined)
      return await changeAll(changed).catch(rethrowAsVenueOutage)
    },
    async expireDue(accounts, clockMs) {
      let expired = 0
      for (;;) {
        const due = await dueOrders(sql, { accounts, clockMs }).catch(rethrowAsVenueOutage)
        if (due.length === 0) return expired
        expired += await changeAll(due.map(expireOrder)).catch(rethrowAsVenueOutage)
      }
    },
  }
}

function paperReads({ sql, clock }: PaperVenueOptions): VenueReads {
  const byAccount = <Value>(read: (accounts: readonly string[]) => Promise<readonly Value[]>) =>
    groupReads<string, Value>({ read, textOf: (account) => account, keysMax: accountsMax })
  const open = byAccount((accounts) => openOrders(sql, accounts))
  const held = byAccount((accounts) => heldPositions(sql, accounts))
  return {
    async findByClientOrderId(account, clientOrderId) {
      const keys = [{ account, clientOrderId }]
      const [order] = (await findOrders(sql, keys).catch(rethrowAsVenueOutage)).values()
      return order === undefined ? undefined : viewOf(order)
    },
    async listOpen(account) {
      return (await open(account).catch(rethrowAsVenueOutage)).map(viewOf)
    },
    async *listFills(account, since) {
      try {
        yield* fillsAfter(sql, { account, since })
      } catch (error) {
        rethrowAsVenueOutage(error)
      }
    },
    positions: (account) => held(account).catch(rethrowAsVenueOutage),
    // What an account started with is known to its desk alone.
    account: () => Promise.resolve({ cash: undefined }),
    clock: (account) => clock(account).catch(rethrowAsVenueOutage),
  }
}
