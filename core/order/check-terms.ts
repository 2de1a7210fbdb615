import { formatAmount, type Price, unit } from './amount.ts'
import { type Denial, deny, timeText } from './check-denial.ts'
import type { Subject } from './check-subject.ts'

export function checkSymbol({ input }: Subject): Denial | undefined {
  if (input.instrument?.isTradable === true) return undefined
  const fault = input.instrument === undefined ? 'unknown' : 'not_tradable'
  return deny('UNKNOWN_SYMBOL', { symbol: input.terms.symbol, fault })
}

export function checkRestriction({ input }: Subject): Denial | undefined {
  if (input.instrument?.isRestricted !== true) return undefined
  return deny('RESTRICTED_SYMBOL', { symbol: input.terms.symbol })
}

/** Of the venue: what it can do, and that the terms are whole. */
export function checkOrderType({ input }: Subject): Denial | undefined {
  const { terms, capabilities } = input
  const { type, timeInForce } = terms
  const fault = !capabilities.types.includes(type)
    ? 'type'
    : !capabilities.timesInForce.includes(timeInForce)
      ? 'time_in_force'
      : (faultOfCombination(terms) ??
        (terms.quantity % unit !== 0n && !capabilities.isFractional
          ? 'fractional_quantity'
          : undefined))
  if (fault === undefined) return undefined
  return deny('UNSUPPORTED_ORDER_TYPE', { type, time_in_force: timeInForce, fault })
}

/** Auctions and orders that execute at once know no trigger price. */
const withoutTrigger: ReadonlySet<string> = new Set(['opg', 'cls', 'ioc', 'fok'])

function faultOfCombination(terms: Subject['input']['terms']): string | undefined {
  const { type, timeInForce, limitPrice, stopPrice } = terms
  const hasLimit = type === 'limit' || type === 'stop_limit'
  const hasStop = type === 'stop' || type === 'stop_limit'
  const isPlain = type === 'limit' || type === 'market'
  if (hasLimit !== (limitPrice !== undefined)) return 'limit_price'
  if (hasStop !== (stopPrice !== undefined)) return 'stop_price'
  return !isPlain && withoutTrigger.has(timeInForce) ? 'combination' : undefined
}

export function checkExpiry({ input }: Subject): Denial | undefined {
  const { timeInForce, expireAt } = input.terms
  if (timeInForce !== 'gtd') return undefined
  if (expireAt !== undefined && expireAt > input.clockMs) return undefined
  return deny('EXPIRE_TIME_IN_PAST', {
    expire_at: expireAt === undefined ? 'missing' : timeText(expireAt),
    clock: timeText(input.clockMs),
  })
}

const cent = unit / 100n
const hundredthOfCent = cent / 100n

/** Regulation NMS, Rule 612: cents from one dollar on, hundredths of a cent below. */
function isOnTick(price: Price): boolean {
  return price > 0n && price % (price >= unit ? cent : hundredthOfCent) === 0n
}

export function checkLimitTick({ input }: Subject): Denial | undefined {
  return faultOfTick('limit_price', input.terms.limitPrice)
}

export function checkStopTick({ input }: Subject): Denial | undefined {
  return faultOfTick('stop_price', input.terms.stopPrice)
}

function faultOfTick(field: string, price: Price | undefined): Denial | undefined {
  if (price === undefined || isOnTick(price)) return undefined
  const tick = price >= unit ? cent : hundredthOfCent
  return deny('PRICE_INCREMENT', { field, price: formatAmount(price), tick: formatAmount(tick) })
}

/** What is not made of whole lots is an incorrect quantity too, FIX 103=13. */
export function checkMinimum({ input, leaves }: Subject): Denial | undefined {
  const { terms, instrument } = input
  const minimum = instrument?.quantityMin ?? 0n
  const lot = instrument?.lot ?? 1n
  const isWhole = lot > 0n && terms.quantity % lot === 0n
  if (isWhole && leaves > 0n && terms.quantity >= minimum) return undefined
  return deny('QUANTITY_BELOW_MINIMUM', {
    quantity: formatAmount(terms.quantity),
    ...(leaves === terms.quantity ? {} : { leaves: formatAmount(leaves) }),
    min: formatAmount(minimum),
    lot: formatAmount(lot),
  })
}

export function checkMaximum({ input }: Subject): Denial | undefined {
  const { quantity } = input.terms
  const { quantityMax } = input.limits
  if (quantity <= quantityMax) return undefined
  return deny('QUANTITY_EXCEEDS_MAXIMUM', {
    quantity: formatAmount(quantity),
    max: formatAmount(quantityMax),
  })
}
