import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { foldOrder } from '#core/order/fold-order.ts'
import { type OrderEvent, orderStatuses } from '#core/order/order.ts'
import { newOrder, transition } from '#core/order/transition.ts'
import { orderTerms, succession, takeAll, trade } from './order-generator.ts'
import {
  accepted,
  ack,
  canceled,
  events,
  fill,
  outcomeOf,
  partly,
  pending,
  stateIn,
  submit,
  ways,
} from './transition-ways.ts'

test.each(Object.values(events).filter(({ type }) => type !== 'submit'))(
  '$type does not begin an order',
  (event) => {
    expect(outcomeOf(newOrder(orderTerms()), event)).toBe('INVALID_TRANSITION')
  },
)

test('an order begins once, with its submission', () => {
  const begun = transition(newOrder(orderTerms()), submit)
  expect(begun).toMatchObject({ kind: 'moved', state: { status: 'received', seq: 1 } })
  expect(outcomeOf(stateIn('received'), submit)).toBe('INVALID_TRANSITION')
})

test.each([
  ['trade', fill('T9', '1')],
  ['venue.ack', ack],
  ['succeed', succession('1')],
] as const)('%s of an order that was canceled before it was sent is not taken', (_, event) => {
  const unsent = foldOrder(orderTerms(), [...accepted, events['cancel.request']])
  expect(outcomeOf(unsent, event)).toBe('INVALID_TRANSITION')
})

test.each([1, 2])('attempt %i is not made twice, or after a later one', (attempt) => {
  const twice = foldOrder(orderTerms(), [...pending, { type: 'worker.sent', attempt: 2 }])
  expect(outcomeOf(twice, { type: 'worker.sent', attempt })).toBe('INVALID_TRANSITION')
  expect(twice.attempts).toBe(2)
})

test('another venue order for the same order is refused', () => {
  const second: OrderEvent = { type: 'venue.ack', venueOrderId: 'V2' }
  expect(outcomeOf(stateIn('new'), second)).toBe('VENUE_ORDER_MISMATCH')
  const succeeded: OrderEvent = { ...succession('1'), venueOrderId: 'V2' }
  expect(outcomeOf(stateIn('new'), succeeded)).toBe('VENUE_ORDER_MISMATCH')
})

test.each([
  ['4', 'QUANTITY_BELOW_FILLED'],
  ['3', 'QUANTITY_BELOW_FILLED'],
  ['4.000000001', 'pending_replace'],
] as const)('after a fill of 4 a replacement by %s: %s', (quantity, outcome) => {
  const patch = { quantity: parseAmount(quantity) }
  const request: OrderEvent = { type: 'replace.request', successor: 'successor', patch }
  expect(outcomeOf(stateIn('partially_filled'), request)).toBe(outcome)
})

test.each(['pending_replace', 'replaced'] as const)('%s: no other successor', (status) => {
  const other: OrderEvent = { type: 'replaced', successor: 'stranger' }
  expect(outcomeOf(stateIn(status), other)).toBe('INVALID_TRANSITION')
})

test.each([
  ['10.000000001', 'INVALID_TRANSITION'],
  ['0', 'INVALID_TRANSITION'],
  ['10', 'accepted'],
  ['2', 'accepted'],
] as const)('a held order of 10 is let go with %s: %s', (quantity, outcome) => {
  const resume: OrderEvent = { type: 'resume', quantity: parseAmount(quantity) }
  expect(outcomeOf(stateIn('held'), resume)).toBe(outcome)
})

test('a held order that was made smaller is filled by less', () => {
  const smaller: OrderEvent = { type: 'resume', quantity: parseAmount('2') }
  const sent = [...ways.held, smaller, events['worker.sent'], ack]
  expect(foldOrder(orderTerms(), sent).leavesQuantity).toBe(parseAmount('2'))
  expect(foldOrder(orderTerms(), [...sent, fill('T1', '2')]).status).toBe('filled')
})

test.each([
  ['a part', '5.999999999', 'partially_filled', '0.000000001'],
  ['all that is left', '6', 'filled', '0'],
] as const)('a fill of %s', (_, quantity, status, leaves) => {
  const { state } = takeAll(orderTerms(), [...partly, fill('T2', quantity)])
  expect(state).toMatchObject({ status, leavesQuantity: parseAmount(leaves) })
})

test.each([
  'partially_filled',
  'pending_cancel',
  'pending_replace',
  'canceled',
  'expired',
] as const)(
  '%s: one billionth of a share too much is an overfill, and changes nothing',
  (status) => {
    expect(outcomeOf(stateIn(status), fill('T2', '6.000000001'))).toBe('OVERFILL')
    expect(outcomeOf(stateIn(status), fill('T2', '6'))).toBe('filled')
  },
)

test.each(['0', '-1'])('a trade of %s is none', (quantity) => {
  const nothing: OrderEvent = {
    type: 'trade',
    trade: { ...trade('T2', '1'), quantity: BigInt(quantity) },
  }
  expect(outcomeOf(stateIn('new'), nothing)).toBe('INVALID_TRANSITION')
})

test('a known trade is a known trade in every status, whatever it says now', () => {
  for (const status of orderStatuses) {
    const state = stateIn(status)
    if (state.trades.has('T1')) expect(outcomeOf(state, fill('T1', '9', '1'))).toBe('=')
  }
})

test.each([
  ['pending_cancel', 'cancel.reject'],
  ['pending_replace', 'replace.reject'],
  ['done_for_day', 'next_session'],
  ['suspended', 'unsuspend'],
] as const)('from %s %s leads back to new, or to partially_filled after a fill', (status, type) => {
  const before = ways[status].filter((event) => event.type !== 'trade')
  const back = (...between: OrderEvent[]) =>
    foldOrder(orderTerms(), [...before, ...between, events[type]])
  expect(back()).toMatchObject({ status: 'new', previous: undefined })
  expect(back(fill('T1', '1'))).toMatchObject({ status: 'partially_filled', previous: undefined })
})

test.each(['done_for_day', 'suspended'] as const)(
  'a refused cancel of a %s order leads back there, and from there to the market',
  (status) => {
    const refused = [...ways[status], events['cancel.request'], events['cancel.reject']]
    expect(foldOrder(orderTerms(), refused).status).toBe(status)
    const lifted = events[status === 'suspended' ? 'unsuspend' : 'next_session']
    expect(foldOrder(orderTerms(), [...refused, lifted]).status).toBe('partially_filled')
  },
)

test.each(['pending_cancel', 'pending_replace'] as const)(
  '%s: a fill of all that is left fills the order, and the request is over',
  (status) => {
    const state = foldOrder(orderTerms(), [...ways[status], fill('T2', '6')])
    expect(state).toMatchObject({ status: 'filled', leavesQuantity: 0n, lateFill: false })
    expect(state.replacement).toBeUndefined()
  },
)

test('the acknowledgement that a fill or a cancel has overtaken still tells the venue order id', () => {
  for (const overtaking of [fill('T1', '4'), fill('T1', '10'), canceled, events.expire]) {
    const before = foldOrder(orderTerms(), [...pending, overtaking])
    expect(before.venueOrderId).toBeUndefined()
    const after = foldOrder(orderTerms(), [...pending, overtaking, ack])
    expect(after).toEqual({ ...before, venueOrderId: 'V1', seq: before.seq + 1 })
  }
})

test.each(['canceled', 'expired', 'replaced'] as const)(
  '%s: a late fill counts, is marked, and leaves nothing to fill',
  (status) => {
    const state = foldOrder(orderTerms(), [...ways[status], fill('T2', '5', '50')])
    expect(state).toMatchObject({
      status,
      cumQuantity: parseAmount('9'),
      cumMoney: parseAmount('4') * parseAmount('100') + parseAmount('5') * parseAmount('50'),
      leavesQuantity: 0n,
      lateFill: true,
    })
  },
)

test('late fills fill a canceled order, not one that its successor goes on for', () => {
  const late = fill('T2', '6')
  expect(outcomeOf(stateIn('canceled'), late)).toBe('filled')
  expect(outcomeOf(stateIn('replaced'), late)).toBe('replaced')
})

test('a bust opens a filled order again, but not one that had been canceled before', () => {
  const bust: OrderEvent = { type: 'trade_cancel', tradeId: 'T2' }
  expect(foldOrder(orderTerms(), [...ways.filled, bust])).toMatchObject({
    status: 'partially_filled',
    leavesQuantity: parseAmount('6'),
  })
  expect(foldOrder(orderTerms(), [...ways.canceled, fill('T2', '6'), bust])).toMatchObject({
    status: 'canceled',
    leavesQuantity: 0n,
    cumQuantity: parseAmount('4'),
  })
})

test('a trade that was canceled stays so: no second bust, no correction, no repeat', () => {
  const bust: OrderEvent = { type: 'trade_cancel', tradeId: 'T1' }
  const state = foldOrder(orderTerms(), [...partly, bust])
  expect(state).toMatchObject({ status: 'new', cumQuantity: 0n, cumMoney: 0n })
  expect(state.trades.get('T1')).toMatchObject({ quantity: 0n, fee: 0n })
  expect(outcomeOf(state, bust)).toBe('=')
  expect(outcomeOf(state, events.trade_correct)).toBe('TRADE_CANCELED')
  expect(outcomeOf(state, fill('T1', '4'))).toBe('=')
})

test('a correction may fill the order, and no more than that', () => {
  const to = (quantity: string): OrderEvent => ({
    type: 'trade_correct',
    tradeId: 'T1',
    trade: trade('T1', quantity, '99'),
  })
  expect(outcomeOf(stateIn('partially_filled'), to('10.000000001'))).toBe('OVERFILL')
  const state = foldOrder(orderTerms(), [...partly, to('10')])
  expect(state).toMatchObject({ status: 'filled', cumMoney: parseAmount('10') * parseAmount('99') })
  expect(outcomeOf(state, to('10'))).toBe('=')
})

test('a correction under an id of its own leaves both ids known, and counts once', () => {
  const correct: OrderEvent = { type: 'trade_correct', tradeId: 'T1', trade: trade('C1', '3') }
  const corrected = foldOrder(orderTerms(), [...partly, correct])
  expect(corrected.cumQuantity).toBe(parseAmount('3'))
  for (const repeated of [fill('T1', '4'), fill('C1', '3'), correct]) {
    expect(outcomeOf(corrected, repeated)).toBe('=')
  }
  const reportedApart = foldOrder(orderTerms(), [...partly, fill('C1', '3'), correct])
  expect(reportedApart.trades).toEqual(corrected.trades)
  expect(reportedApart.cumMoney).toBe(corrected.cumMoney)
  const bust: OrderEvent = { type: 'trade_cancel', tradeId: 'C1' }
  const bustedApart = foldOrder(orderTerms(), [...partly, fill('C1', '3'), bust, correct])
  expect(bustedApart).toMatchObject({ cumQuantity: 0n, status: 'new' })
})

test.each([
  ['0', 'new'],
  ['4', 'partially_filled'],
  ['10', 'filled'],
] as const)('a successor that was given %s begins as %s', (carried, status) => {
  const state = foldOrder(orderTerms(), [...pending, succession(carried)])
  expect(state).toMatchObject({
    status,
    venueOrderId: 'V1',
    replaces: 'predecessor',
    leavesQuantity: parseAmount('10') - parseAmount(carried),
  })
})

test('a successor is given no more than it is for, and by its predecessor only', () => {
  const state = stateIn('pending_new')
  expect(outcomeOf(state, succession('10.000000001'))).toBe('OVERFILL')
  const stranger: OrderEvent = { ...succession('1'), replaces: 'stranger' }
  expect(outcomeOf(state, stranger)).toBe('INVALID_TRANSITION')
})

test('a late fill of the predecessor is told to the successor anew, and its own fills stand', () => {
  const begun = [...pending, succession('1'), fill('T1', '4')]
  const state = foldOrder(orderTerms(), [...begun, succession('3', '90')])
  const own = parseAmount('4') * parseAmount('100')
  expect(state).toMatchObject({
    cumQuantity: parseAmount('7'),
    cumMoney: parseAmount('3') * parseAmount('90') + own,
  })
  expect(outcomeOf(state, succession('3', '90'))).toBe('=')
  expect(outcomeOf(state, succession('3', '91'))).toBe('partially_filled')
})

test('what a denial, a rejection and a warning say stays with the order', () => {
  expect(stateIn('denied')).toMatchObject({
    rejectCode: 'MAX_ORDER_SIZE',
    rejectDetails: ['too large'],
  })
  expect(stateIn('rejected').rejectCode).toBe('halted')
  const warned: OrderEvent = { type: 'risk.pass', warnings: ['CLOCK_SKEW'] }
  expect(foldOrder(orderTerms(), [submit, warned]).warnings).toEqual(['CLOCK_SKEW'])
})
