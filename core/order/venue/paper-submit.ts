import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import { invariant } from '../../invariant.ts'
import { groupCommit, runOrSplit } from '../../postgres/group-commit.ts'
import { databaseOutage } from '../../postgres/outage.ts'
import type { OrderTerms } from '../order.ts'
import type { SubmitResult, VenueClock } from '../venue.ts'
import { keyOf } from './order-key.ts'
import { type PaperMarket, venueClockAt } from './paper-market.ts'
import {
  enterOrder,
  type PaperOrder,
  type PaperRules,
  type PaperStep,
  workTogether,
} from './paper-order.ts'
import type { PaperTerms } from './paper-settings.ts'
import { type Booked, findOrders, placeOrders } from './postgres-paper-book.ts'
import { rethrowAsVenueOutage, spareVenue } from './venue-outage.ts'

/** Orders that share one commit; two such batches keep Postgres and the worker both busy. */
const ordersMax = 64
const batchesInFlightMax = 2
const waitingMax = 10_000

export type PaperEntry = {
  readonly terms: OrderTerms
  /** Without the report of its acknowledgement, on purpose. */
  readonly isSilent: boolean
}

export type PaperMarkets = {
  /** Of symbols by account, each by the account's clock; those that it leaves out are unknown here. */
  readonly markets: (
    wanted: ReadonlyMap<string, readonly string[]>,
  ) => Promise<ReadonlyMap<string, ReadonlyMap<string, PaperMarket>>>
  readonly clock: (account: string) => Promise<VenueClock>
  /** How an account is treated; without it all are treated by the venue's rules. */
  readonly terms?: (account: string) => Promise<PaperTerms>
}

/** The venue's rules, with what an account has of its own. */
export async function rulesFor(
  { rules, terms }: Pick<PaperMarkets, 'terms'> & { readonly rules: PaperRules },
  account: string,
): Promise<PaperRules> {
  return terms === undefined ? rules : { ...rules, ...(await terms(account)).options }
}

type Options = PaperMarkets & {
  /** A pool of exactly one connection: batches are pipelined on it. */
  readonly grouped: Sql
  readonly rules: PaperRules
  readonly push: (booked: Booked) => void
}

const orderMissing: SubmitResult = { kind: 'unknown', reason: 'the order was not found again' }

/** Places orders, those that arrive together in one commit. */
export function paperSubmit(options: Options) {
  const { grouped, push } = options

  async function place(entries: readonly PaperEntry[]): Promise<readonly SubmitResult[]> {
    const steps = await enteredSteps(entries, options).catch(rethrowAsVenueOutage)
    const placing = steps.filter((step) => step !== undefined)
    try {
      const booked = await placeOrders(grouped, placing)
      push(booked)
      const taken = placing.filter(({ order }) => !booked.orders.has(keyOf(order)))
      const earlier = await findOrders(
        grouped,
        taken.map(({ order }) => order),
      )
      return steps.map((step) => resultOf(step, { booked, earlier }))
    } catch (error) {
      const outage = databaseOutage(error)
      if (outage === undefined) throw error
      // The statement may have committed before its answer was lost. That the database is away says
      // nothing of a venue that is in it: a breaker would keep orders back for minutes after it.
      const lost: SubmitResult = spareVenue({ kind: 'unknown', reason: outage.message })
      return steps.map((step) => (step === undefined ? unknownSymbol : lost))
    }
  }

  return groupCommit<PaperEntry, SubmitResult>({
    run: (entries) => runOrSplit(entries, place, (error) => error instanceof PosternError),
    batchMax: ordersMax,
    inFlightMax: batchesInFlightMax,
    waitingMax,
    refuse: () =>
      spareVenue(new PosternError('venue.unavailable', { reason: 'too many orders waiting' })),
    keyOf: ({ terms }) => keyOf(terms),
  })
}

const unknownSymbol: SubmitResult = {
  kind: 'rejected',
  code: 'UNKNOWN_SYMBOL',
  raw: 'the paper venue has no market for this symbol',
}

function resultOf(
  step: PaperStep | undefined,
  stored: { readonly booked: Booked; readonly earlier: ReadonlyMap<string, PaperOrder> },
): SubmitResult {
  if (step === undefined) return unknownSymbol
  const key = keyOf(step.order)
  const order = stored.booked.orders.has(key) ? step.order : stored.earlier.get(key)
  if (order === undefined) return orderMissing
  return { kind: 'accepted', venueOrderId: order.venueOrderId }
}

type Indexed = { readonly entry: PaperEntry; readonly index: number }

/** Each order as it enters and meets its market; undefined where there is none. */
async function enteredSteps(
  entries: readonly PaperEntry[],
  options: Options,
): Promise<readonly (PaperStep | undefined)[]> {
  const steps: (PaperStep | undefined)[] = entries.map(() => undefined)
  const indexed = entries.map((entry, index) => ({ entry, index }))
  const byAccount = Map.groupBy(indexed, ({ entry }) => entry.terms.account)
  const wanted = [...byAccount].map(([account, members]) => {
    const symbols = new Set(members.map(({ entry }) => entry.terms.symbol))
    return [account, [...symbols]] as const
  })
  const [markets, rules] = await Promise.all([
    options.markets(new Map(wanted)),
    Promise.all(wanted.map(([account]) => rulesFor(options, account))),
  ])
  for (const [at, [account, members]] of [...byAccount].entries()) {
    const bySymbol = Map.groupBy(members, ({ entry }) => entry.terms.symbol)
    for (const [symbol, group] of bySymbol) {
      const market = markets.get(account)?.get(symbol)
      if (market === undefined) continue
      const entered = enterTogether(group, market, rules[at] ?? options.rules)
      for (const [place, { index }] of group.entries()) steps[index] = entered[place]
    }
  }
  return steps
}

function enterTogether(
  group: readonly Indexed[],
  market: PaperMarket,
  rules: PaperRules,
): readonly PaperStep[] {
  const { clockMs } = market
  const { nextCloseMs: sessionCloseMs } = venueClockAt(clockMs)
  const orders = group.map(({ entry }) =>
    enterOrder(entry.terms, {
      venueOrderId: Bun.randomUUIDv7(),
      clockMs,
      sessionCloseMs,
      latencyMs: rules.latencyMs,
    }),
  )
  const worked = workTogether(orders, market, rules)
  return orders.map((order, at) => {
    const member = group[at]
    invariant(member !== undefined, 'as many orders as entries')
    const step = worked[at] ?? { order, events: [] }
    const { venueOrderId } = order
    const ack = member.entry.isSilent ? [] : [{ type: 'ack', venueOrderId } as const]
    return { order: step.order, events: [...ack, ...step.events] }
  })
}
