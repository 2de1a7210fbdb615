import { expect, test } from 'bun:test'
import { checkOrder } from '#core/order/check-order.ts'
import {
  amount,
  type Change,
  codeOf,
  market,
  money,
  nanos,
  noonMs,
  sample,
  sell,
} from './check-sample.ts'

const judge = (change: Change) => checkOrder(sample(change))
const detailsOf = (change: Change) => {
  const result = judge(change)
  return result.verdict === 'deny' ? result.details : []
}

test('a twin within the window is denied, and passes where the check is switched off', () => {
  expect(detailsOf({ hasTwin: true })).toEqual(['DUPLICATE_ORDER window_ms=500'])
  expect(codeOf(judge({ hasTwin: true, limits: { duplicateWindowMs: 0 } }))).toBe('pass')
})

test('a strategy that executed as often as it may is denied the next order', () => {
  const limits = { repeatedExecutionsMax: 3 }
  expect(codeOf(judge({ limits, recentExecutions: 2 }))).toBe('pass')
  expect(detailsOf({ limits, recentExecutions: 3 })).toEqual([
    'REPEATED_EXECUTION strategy=momentum side=buy executions=3 max=3',
  ])
  expect(codeOf(judge({ limits, recentExecutions: Number.NaN }))).toBe('REPEATED_EXECUTION')
})

test('as many orders as are allowed may be open, this one included', () => {
  const limits = { openOrdersMax: 2 }
  expect(codeOf(judge({ limits, account: { openOrders: 1 } }))).toBe('pass')
  expect(detailsOf({ limits, account: { openOrders: 2 } })).toEqual([
    'TOO_MANY_OPEN_ORDERS open=2 max=2',
  ])
})

test('a replacement adds no open order', () => {
  const replaced = { buyingPower: 0n, quantity: amount('100'), cumQuantity: 0n }
  const change = { limits: { openOrdersMax: 2 }, account: { openOrders: 2 }, replaced }
  expect(codeOf(judge(change))).toBe('pass')
})

const limits = { positionMax: amount('1000') }

test.each<[string, Change, string]>([
  ['buys', { position: { quantity: amount('801'), openBuy: amount('100') } }, 'worst=1001'],
  [
    'sells',
    { terms: sell, position: { quantity: -amount('801'), openSell: amount('100') } },
    'worst=-1001',
  ],
  [
    'sells short',
    { terms: sell, position: { quantity: 0n, openSell: amount('901') } },
    'worst=-1001',
  ],
])('the worst case of position and open orders is limited: %s', (_, change, worst) => {
  expect(detailsOf({ ...change, limits })).toEqual([
    expect.stringMatching(new RegExp(`^POSITION_LIMIT position=\\S+ ${worst} max=1000$`)),
  ])
})

test.each<[string, Change]>([
  ['reaches the limit', { position: { quantity: amount('800'), openBuy: amount('100') } }],
  ['sells short up to it', { terms: sell, position: { openSell: amount('900') } }],
  ['lowers a position beyond it', { terms: sell, position: { quantity: amount('5000') } }],
  ['is on the other side of open orders', { position: { openSell: amount('5000') } }],
])('an order passes the position limit that %s', (_, change) => {
  expect(codeOf(judge({ ...change, limits }))).toBe('pass')
})

test('a replacement and its predecessor count once, at the larger of the two', () => {
  const replaced = {
    buyingPower: money('10000'),
    quantity: amount('300'),
    cumQuantity: amount('50'),
  }
  const at = (quantity: string, openBuy: string): Change => ({
    replaced,
    terms: { quantity: amount(quantity) },
    position: { quantity: 0n, openBuy: amount(openBuy) },
    limits,
  })
  expect(codeOf(judge(at('150', '1000')))).toBe('pass')
  expect(codeOf(judge(at('150', '1001')))).toBe('POSITION_LIMIT')
  // 450 in all are 400 to come: 100 more than the predecessor has open.
  expect(codeOf(judge(at('450', '900')))).toBe('pass')
  expect(codeOf(judge(at('450', '901')))).toBe('POSITION_LIMIT')
})

const exactly = (cash: string, change: Change = {}): Change => ({
  ...change,
  account: { cash: money(cash), ...change.account },
})

test.each<[string, Change, string]>([
  ['a limit order needs its limit', {}, '10000'],
  ['a market order 4 % more than the reference', { terms: market }, '10400'],
  [
    'a stop order 4 % more than its stop',
    { terms: { type: 'stop', limitPrice: undefined, stopPrice: amount('102') } },
    '10608',
  ],
  ['open orders take theirs first', { account: { reserved: money('500') } }, '10500'],
  ['what is short binds 150 % of its value', { account: { shortValue: money('1000') } }, '11500'],
  ['a short sale needs half of the ask and 3 %', { terms: { ...sell, ...market } }, '5150.515'],
  ['or half of its limit', { terms: { ...sell, limitPrice: amount('104') } }, '5200'],
  [
    'a sale that is covered in part needs the rest',
    { terms: { ...sell, limitPrice: amount('104') }, position: { quantity: amount('60') } },
    '2080',
  ],
  [
    'what open orders sell is not there to be sold again',
    {
      terms: { ...sell, limitPrice: amount('104') },
      position: { quantity: amount('100'), openSell: amount('40') },
    },
    '2080',
  ],
  [
    'a buy that crosses zero needs what it opens',
    { position: { quantity: -amount('60'), openBuy: amount('10') } },
    '5000',
  ],
])('%s: just enough passes, the smallest money less is denied', (_, change, cash) => {
  expect(codeOf(judge(exactly(cash, change)))).toBe('pass')
  const short = exactly(cash, change)
  const less = { ...short, account: { ...short.account, cash: money(cash) - 1n } }
  expect(codeOf(judge(less))).toBe('INSUFFICIENT_BUYING_POWER')
})

test.each<[string, Change]>([
  ['sells what is held', { terms: sell, position: { quantity: amount('100') } }],
  ['covers what is short', { position: { quantity: -amount('100') } }],
])('an exit passes an account without buying power: it %s', (_, change) => {
  const account = { cash: 0n, shortValue: money('10000') }
  expect(judge({ ...change, account })).toMatchObject({
    verdict: 'pass',
    reservation: { buyingPower: 0n, quantity: amount('100') },
  })
})

test('the margin of what is short is rounded up', () => {
  const account = { shortValue: 1n, cash: money('10000') + 1n }
  expect(codeOf(judge({ account }))).toBe('INSUFFICIENT_BUYING_POWER')
  expect(codeOf(judge({ account: { ...account, cash: money('10000') + 2n } }))).toBe('pass')
})

test('a replacement needs only what it adds to its predecessor', () => {
  const replaced = { buyingPower: money('9000'), quantity: amount('90'), cumQuantity: 0n }
  const at = (cash: string) => ({
    replaced,
    account: { cash: money(cash), reserved: money('9000') },
  })
  expect(codeOf(judge(at('10000')))).toBe('pass')
  expect(detailsOf(at('9999.99'))).toEqual([
    'INSUFFICIENT_BUYING_POWER needed=1000 available=999.99',
  ])
  const smaller = { ...at('0'), terms: { quantity: amount('90') } }
  expect(codeOf(judge(smaller))).toBe('pass')
})

test.each<[string, Change]>([
  ['its time', { symbolMarket: { quote: quoteAt(noonMs - 5_001) } }],
  ['all of it', { symbolMarket: { quote: undefined } }],
  ['sense: the bid is above the ask', { symbolMarket: { quote: quoteAt(noonMs, '100.02') } }],
])('a short sale is denied when the quote lacks %s', (_, change) => {
  const [detail, ...others] = detailsOf({ ...change, terms: sell })
  expect(detail).toStartWith('STALE_MARKET_DATA source=quote symbol=AAPL')
  expect(others).toEqual([])
  const covered = { ...change, terms: sell, position: { quantity: amount('100') } }
  expect(codeOf(judge(covered))).toBe('pass')
})

function quoteAt(time: number, bid = '99.99') {
  return { time, bid: nanos(bid), ask: nanos('100.01'), bidSize: 1, askSize: 1 }
}

test.each<[string, Change, string]>([
  ['the account', { account: { isShortAllowed: false } }, 'account'],
  ['the instrument', { instrument: { isShortable: false } }, 'instrument'],
])('a sale beyond the position is denied where %s allows no short', (_, change, fault) => {
  const at = (quantity: string) => ({
    ...change,
    terms: sell,
    position: { quantity: amount(quantity), openSell: amount('50') },
  })
  expect(codeOf(judge(at('150')))).toBe('pass')
  expect(detailsOf(at('149'))).toEqual([`SHORT_NOT_ALLOWED short=1 fault=${fault}`])
  expect(codeOf(judge({ ...change, position: { quantity: -amount('50') } }))).toBe('pass')
})

test('a reduce-only order may close the position, never turn it', () => {
  const terms = { ...sell, reduceOnly: true }
  expect(codeOf(judge({ terms, position: { quantity: amount('100') } }))).toBe('pass')
  expect(detailsOf({ terms, position: { quantity: amount('99') } })).toEqual([
    'REDUCE_ONLY_WOULD_INCREASE side=sell quantity=100 position=99 open_buy=0 open_sell=0',
  ])
  expect(codeOf(judge({ terms: { reduceOnly: true } }))).toBe('REDUCE_ONLY_WOULD_INCREASE')
})

test.each([
  ['firm', { firmExposureMax: money('50000') }, 'gross'],
  ['sector', { sectorExposureMax: money('50000') }, 'sectorGross'],
] as const)(
  'the exposure of the %s may reach its limit, and an exit passes beyond',
  (scope, max, name) => {
    const at = (gross: string) => ({ limits: max, firm: { [name]: money(gross) } })
    expect(codeOf(judge(at('40000')))).toBe('pass')
    expect(detailsOf(at('40000.01'))).toEqual([
      `FIRM_EXPOSURE_LIMIT scope=${scope} gross=40000.01 notional=10000 max=50000`,
    ])
    const exit = { terms: sell, position: { quantity: amount('100') } }
    expect(codeOf(judge({ ...at('60000'), ...exit }))).toBe('pass')
  },
)

test('the portfolio-loss breaker lets only exits pass, and when it halts none', () => {
  const drawdown = (state: 'ACTIVE' | 'REDUCING' | 'HALTED') => ({
    account: { drawdown: { state, scope: 'account', reason: 'loss' } },
  })
  const exit = { terms: sell, position: { quantity: amount('100') } }
  expect(codeOf(judge(drawdown('ACTIVE')))).toBe('pass')
  expect(detailsOf(drawdown('REDUCING'))).toEqual([
    'DRAWDOWN_LIMIT state=REDUCING scope=account reason=loss',
  ])
  expect(codeOf(judge({ ...drawdown('REDUCING'), ...exit }))).toBe('pass')
  expect(codeOf(judge({ ...drawdown('HALTED'), ...exit }))).toBe('DRAWDOWN_LIMIT')
})
