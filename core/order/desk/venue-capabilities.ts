import type { OrderCapabilities } from '../check-input.ts'

/** What the gateway must know of a venue to judge an order; it never calls one. */
const capabilities: Readonly<Record<string, OrderCapabilities>> = {
  paper: {
    types: ['market', 'limit', 'stop', 'stop_limit'],
    timesInForce: ['day', 'gtc', 'gtd', 'ioc', 'fok'],
    isFractional: true,
  },
  alpaca: {
    types: ['market', 'limit', 'stop', 'stop_limit'],
    timesInForce: ['day', 'gtc', 'ioc', 'fok', 'opg', 'cls'],
    isFractional: false,
  },
}

const nothing: OrderCapabilities = { types: [], timesInForce: [], isFractional: false }

/** Of a venue that this binary does not know nothing is supported. */
export function venueCapabilities(venue: string): OrderCapabilities {
  return capabilities[venue] ?? nothing
}
