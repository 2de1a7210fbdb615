import { expect, test } from 'bun:test'
import { scoreWalletKind } from '#core/score/kinds.ts'
import { readProfile } from '../read-profile.ts'
import { fieldDrawer, pathDrawer } from './draw-fields.ts'
import { taskOf } from './profile.ts'
import { scoreRequest } from './score-request.ts'

const { symbols, ...profile } = readProfile()
const body = (name: string, drawn: number) =>
  fieldDrawer(taskOf({ ...profile, symbols }, name).body ?? {}, symbols, () => drawn)()

test('a limit order has a price of whole cents, and others have none', () => {
  expect(body('submit_order', 0.5)).toEqual({
    ...{ symbol: 'TSLA', side: 'sell', quantity: 255, order_type: 'limit', limit_price: 150 },
  })
  expect(body('submit_order', 0)).toEqual({
    ...{ symbol: 'AAPL', side: 'buy', quantity: 10, order_type: 'market' },
  })
  expect(body('submit_order', 0.999)).not.toHaveProperty('limit_price')
})

test('the highest draw stays within the range', () => {
  expect(body('submit_order_hft', 0.999_999)).toEqual({
    ...{ symbol: 'MSFT', side: 'sell', quantity: 100, order_type: 'ioc', limit_price: 190 },
  })
})

test('an id is put into its path, and a query behind it', () => {
  const path = (task: Parameters<typeof pathDrawer>[0], drawn: number) =>
    pathDrawer(task, symbols, () => drawn)()
  expect(path(taskOf({ ...profile, symbols }, 'cancel_order'), 0)).toBe('/orders/ORD-1')
  expect(path(taskOf({ ...profile, symbols }, 'get_market_data_hft'), 0.999)).toBe(
    '/market-data/MSFT/l2',
  )
  const query = { symbol: { oneOf: ['A B', 'C'] }, limit: 10, strategy: 'pairs & more' }
  expect(path({ path: '/signals/{day}/of', params: { day: 'a/b' }, query }, 0)).toBe(
    '/signals/a%2Fb/of?symbol=A%20B&limit=10&strategy=pairs%20%26%20more',
  )
})

test('a wallet of the scoring load is one that the service takes', () => {
  const parsed = scoreWalletKind.payload.safeParse(scoreRequest(Math.random))
  expect(parsed.error?.issues ?? []).toEqual([])
})
