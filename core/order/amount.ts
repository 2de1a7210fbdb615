import { z } from 'zod'
import { formatDecimal, type Scaled } from '../decimal.ts'

/**
 * Prices and quantities are integers of 10^-9, money of 10^-18: a price times a quantity is money
 * without a rounding. All three fit the columns' numeric(38,18).
 */
export type Price = bigint
export type Quantity = bigint
export type Money = Scaled

const fractionDigits = 9
/** Nine integer digits: 10^9 shares at 10^9 a share still fit the twenty of money. */
const integerDigits = 9
/** One share, or one unit of price. */
export const unit = 10n ** BigInt(fractionDigits)

/** A double holds any decimal of so many digits; beyond, its shortest text may not be what was meant. */
const significantDigitsMax = 15

const pattern = new RegExp(
  `^(?:0|[1-9]\\d{0,${integerDigits - 1}})(?:\\.\\d{1,${fractionDigits}})?$`,
)

/** Why a text is no amount of ours, or undefined when it is one. */
export function amountFault(text: string): string | undefined {
  if (pattern.test(text)) return undefined
  if (/^-\d/.test(text)) return 'must not be negative'
  if (/^\d+(?:\.\d+)?$/.test(text) && !/^0\d/.test(text)) {
    return `must have at most ${integerDigits} digits before and ${fractionDigits} after the point`
  }
  return 'must be a plain decimal such as "12.5": digits and one point, no sign, exponent or spaces'
}

/** The value of a text without `amountFault`. */
export function parseAmount(text: string): bigint {
  const point = text.indexOf('.')
  if (point === -1) return BigInt(text) * unit
  return BigInt(text.slice(0, point) + text.slice(point + 1).padEnd(fractionDigits, '0'))
}

/** Exact, without trailing zeros or exponent; a negative quantity is a short position. */
export function formatAmount(value: bigint): string {
  if (value < 0n) return `-${formatAmount(-value)}`
  const digits = value.toString().padStart(fractionDigits + 1, '0')
  const fraction = digits.slice(-fractionDigits).replace(/0+$/, '')
  const whole = digits.slice(0, -fractionDigits)
  return fraction === '' ? whole : `${whole}.${fraction}`
}

export const formatMoney = formatDecimal

/** A decimal column read as text: `numeric(38,18)` pads with zeros, and money may be negative. */
export function moneyOf(text: string): Money {
  if (text.startsWith('-')) return -moneyOf(text.slice(1))
  const [whole = '0', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(18, '0').slice(0, 18))
}

/** The same for a price or quantity; throws when the column holds more than nine decimals. */
export function amountOf(text: string): bigint {
  const money = moneyOf(text)
  if (money % unit !== 0n) throw new Error('invariant: an amount has at most nine decimals')
  return money / unit
}

/**
 * A decimal string, or a JSON number taken by its shortest text (ECMAScript `Number::toString`).
 * Stays text: job payloads and idempotency fingerprints carry what was sent.
 */
export const amountSchema = z
  .union([z.string().max(32), z.number()])
  .transform((value, context) => {
    const text = typeof value === 'number' ? String(value) : value
    const digits = text.replace('.', '').replace(/^0+/, '')
    const fault =
      typeof value === 'number' && digits.length > significantDigitsMax
        ? `a JSON number of more than ${significantDigitsMax} digits is not exact; send a string`
        : amountFault(text)
    if (fault === undefined) return formatAmount(parseAmount(text))
    context.addIssue({ code: 'custom', message: fault })
    return z.NEVER
  })
  .meta({
    type: 'string',
    description: 'A decimal such as "12.5"; a number of at most 15 digits is taken too',
  })

export function absoluteOf(value: bigint): bigint {
  return value < 0n ? -value : value
}
