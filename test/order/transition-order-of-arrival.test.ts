import { expect, test } from 'bun:test'
import { foldOrder } from '#core/order/fold-order.ts'
import type { OrderState } from '#core/order/order.ts'
import { orderFaults } from '#core/order/order-faults.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'
import { arrivalOf, takeAll, venueHistory } from './order-generator.ts'

const histories = 1_500
const arrivalsEach = 6

/**
 * All but `seq` (how many reports said something new), `lateFill` (that a trade came after the
 * end) and `previous` (what stood when a request was made): these tell the order of arrival.
 */
function whatCounts(state: OrderState) {
  const { seq: _seq, lateFill: _lateFill, previous: _previous, trades, ...rest } = state
  const byId = [...trades.values()].sort((a, b) => (a.tradeId < b.tradeId ? -1 : 1))
  return { ...rest, trades: byId }
}

function* seeds(): Generator<number> {
  for (let seed = 1; seed <= histories; seed += 1) yield seed
}

test('reports in any order, and any number of times, end in the same state', () => {
  const ends = new Map<string, number>()
  for (const seed of seeds()) {
    const random = seededRandom(seed)
    const history = venueHistory(random)
    const inOrder = history.phases.flatMap(({ ours, reports }) => [...ours, ...reports])
    const expected = takeAll(history.terms, inOrder).state
    ends.set(expected.status, (ends.get(expected.status) ?? 0) + 1)
    for (let arrival = 0; arrival < arrivalsEach; arrival += 1) {
      const events = arrivalOf(history, random)
      const { state } = takeAll(history.terms, events)
      expect({ seed, events, ...whatCounts(state) }).toEqual({
        seed,
        events,
        ...whatCounts(expected),
      })
    }
  }
  expect([...ends.keys()].sort()).toEqual([
    'canceled',
    'done_for_day',
    'expired',
    'filled',
    'new',
    'partially_filled',
    'pending_cancel',
    'pending_replace',
    'rejected',
    'replaced',
    'suspended',
  ])
})

test('the invariants hold after every report, and the log folds to the same state', () => {
  for (const seed of seeds()) {
    const random = seededRandom(seed)
    const history = venueHistory(random)
    const events = arrivalOf(history, random)
    const nothing = { cumQuantity: 0n, cumMoney: 0n }
    const { state, log } = takeAll(history.terms, events, (step) => {
      const isGiven = step.replaces !== undefined && step.venueOrderId !== undefined
      const carried = isGiven ? history.carried : nothing
      expect({ seed, faults: orderFaults(step, { carried }) }).toEqual({ seed, faults: [] })
    })
    expect(foldOrder(history.terms, log)).toEqual(state)
    expect(log).toHaveLength(state.seq)
  }
})
