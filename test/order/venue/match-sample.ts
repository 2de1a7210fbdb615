import type { Bar, Quote } from '#core/market/bar.ts'
import { formatAmount, parseAmount } from '#core/order/amount.ts'
import {
  type PaperMarket,
  type PaperOptions,
  paperDefaults,
  type WorkedOrder,
} from '#core/order/venue/paper-market.ts'
import { type Match, matchOrder } from '#core/order/venue/paper-match.ts'

export const enteredMs = 1_000_000
export const barMs = enteredMs + 60_000

type Amounts = { readonly limit?: string; readonly stop?: string; readonly leaves?: string }

/** A buy of 100 at the market for the day, unless said otherwise; amounts in text. */
export function order(terms: Omit<Partial<WorkedOrder>, 'leaves'> & Amounts = {}): WorkedOrder {
  const { limit, stop, leaves = '100', ...rest } = terms
  return {
    side: 'buy',
    type: 'market',
    timeInForce: 'day',
    isTriggered: false,
    activeAtMs: enteredMs,
    limitPrice: limit === undefined ? undefined : parseAmount(limit),
    stopPrice: stop === undefined ? undefined : parseAmount(stop),
    ...rest,
    leaves: parseAmount(leaves),
  }
}

const nanos = (price: string) => Number(parseAmount(price))

/** `open high low close volume` */
export function bar(text: string, time = barMs): Bar {
  const [open = '0', high = '0', low = '0', close = '0', volume = '0'] = text.split(' ')
  return {
    time,
    open: nanos(open),
    high: nanos(high),
    low: nanos(low),
    close: nanos(close),
    volume: Number(volume),
  }
}

/** `bid ask` or `bid ask bidSize askSize` */
export function quote(text: string, time = barMs): Quote {
  const [bid = '0', ask = '0', bidSize = '100', askSize = '100'] = text.split(' ')
  return {
    time,
    bid: nanos(bid),
    ask: nanos(ask),
    bidSize: Number(bidSize),
    askSize: Number(askSize),
  }
}

function market(seen: Partial<PaperMarket>): PaperMarket {
  return {
    clockMs: barMs,
    quote: undefined,
    bar: undefined,
    isHalted: false,
    barVolumeUsed: 0n,
    ...seen,
  }
}

/** A generator that repeats what it is given, and counts. */
export function dice(...numbers: number[]) {
  let drawn = 0
  return {
    random: () => numbers[drawn++ % numbers.length] ?? 0.5,
    drawn: () => drawn,
  }
}

export function match(
  worked: WorkedOrder,
  seen: Partial<PaperMarket>,
  options: Partial<PaperOptions> & { random?: () => number } = {},
): Match {
  const { random = () => 0.5 } = options
  return matchOrder(worked, market(seen), { ...paperDefaults, ...options, random })
}

/** `100@10.5`, `triggered`, `canceled` or `rests`. */
export function outcome({ trade, isTriggered, end }: Match): string {
  const parts = [
    ...(trade === undefined
      ? []
      : [`${formatAmount(trade.quantity)}@${formatAmount(trade.price)}`]),
    ...(isTriggered ? ['triggered'] : []),
    ...(end === undefined ? [] : [end]),
  ]
  return parts.length === 0 ? 'rests' : parts.join(' ')
}

export const strict = { mode: 'strict' } as const
export const alpaca = { mode: 'alpaca' } as const
