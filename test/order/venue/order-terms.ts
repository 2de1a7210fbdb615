import { parseAmount } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'

export const testAccount = 'desk-1'

/** A day's limit order of its own client order id; what a test is about, it says itself. */
export function orderTerms(terms: Partial<OrderTerms> = {}): OrderTerms {
  const id = Bun.randomUUIDv7()
  return {
    id,
    account: testAccount,
    clientOrderId: id,
    symbol: 'AAPL',
    side: 'buy',
    type: 'limit',
    timeInForce: 'day',
    quantity: parseAmount('10'),
    limitPrice: terms.type === 'market' || terms.type === 'stop' ? undefined : parseAmount('100'),
    stopPrice: undefined,
    expireAt: undefined,
    strategy: undefined,
    reduceOnly: false,
    ...terms,
  }
}

export function referenceTo({ account, clientOrderId }: OrderTerms, venueOrderId?: string) {
  return { account, clientOrderId, venueOrderId }
}

/** No test waits for it. */
export const noSignal = new AbortController().signal
