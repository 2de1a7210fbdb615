import { expect, test } from 'bun:test'
import { foldOrder } from '#core/order/fold-order.ts'
import type { OrderState } from '#core/order/order.ts'
import { orderFaults } from '#core/order/order-faults.ts'
import { orderTerms } from './order-generator.ts'
import { ack, events, fill, partly, stateIn, submit } from './transition-ways.ts'

test.each([
  ['without a submission', [events['risk.pass']]],
  ['with a gap', [submit, events['worker.sent']]],
  ['with an event that said nothing', [...partly, ack]],
  ['with a trade twice', [...partly, fill('T1', '4')]],
  ['with an overfill', [...partly, fill('T2', '7')]],
])('a log %s is not folded', (_, log) => {
  expect(() => foldOrder(orderTerms(), log)).toThrow('invariant: event')
})

test('no events fold to an order that has none', () => {
  expect(foldOrder(orderTerms(), [])).toMatchObject({ seq: 0, status: 'received' })
})

const sound = stateIn('partially_filled')
const replacement = { successor: 'successor', patch: {} }

test.each<[string, OrderState]>([
  ['cum quantity is between 0 and the quantity', { ...sound, cumQuantity: -1n }],
  ['quantity = cum + leaves while open', { ...sound, leavesQuantity: 1n }],
  ['nothing is left of an ended order', { ...stateIn('canceled'), leavesQuantity: 1n }],
  ['the trades add up to cum quantity', { ...sound, trades: new Map() }],
  ['the trades add up to cum money', { ...sound, cumMoney: sound.cumMoney + 1n }],
  ['a full order is filled', { ...sound, status: 'filled' }],
  ['a full order is filled', { ...stateIn('filled'), status: 'canceled' }],
  ['an unfilled status has no fills', { ...sound, status: 'new' }],
  ['a partial fill is one', { ...stateIn('new'), status: 'partially_filled' }],
  ['a replacement pends in pending_replace only', { ...sound, replacement }],
  ['a replaced order names its successor', { ...sound, replacedBy: 'successor' }],
  ['a refusal has a code', { ...sound, status: 'rejected' }],
])('a fault is named: %s', (fault, state) => {
  expect(orderFaults(state)).toContain(fault)
})

test.each([[[0, 1, 2, 3]], [[0, 1, 2, 3, 3]], [[0, 1, 2, 4, 5]], [[0, 2, 1, 3, 4]]])(
  'events numbered %p are not the log of five',
  (sequence) => {
    expect(orderFaults(sound, { sequence })).toEqual(['events are numbered from 0 without a gap'])
  },
)

test('a sound order has no faults, and its five events their numbers', () => {
  expect(orderFaults(sound, { sequence: [0, 1, 2, 3, 4] })).toEqual([])
})
