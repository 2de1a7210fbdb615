/**
 * Money and quantities as integers scaled by 10^18, the same range as the columns' numeric(38,18).
 * Sums are exact; a quotient is cut to 18 places.
 */
export type Scaled = bigint

const fractionDigits = 18
const integerDigits = 20
export const one: Scaled = 10n ** BigInt(fractionDigits)

const pattern = new RegExp(
  `^(?:0|[1-9]\\d{0,${integerDigits - 1}})(?:\\.(?:\\d{1,${fractionDigits}}))?$`,
)

/** Why a text is no decimal of ours, or undefined when it is one. */
export function decimalFault(text: string): string | undefined {
  if (pattern.test(text)) return undefined
  if (/^-/.test(text)) return 'must not be negative'
  if (/^\d+(?:\.\d+)?$/.test(text) && !/^0\d/.test(text)) {
    return `must have at most ${integerDigits} digits before and ${fractionDigits} after the point`
  }
  return 'must be a plain decimal such as "12.5": digits and one point, no sign, exponent or spaces'
}

/** The value of a text without `decimalFault`. */
export function parseDecimal(text: string): Scaled {
  const point = text.indexOf('.')
  if (point === -1) return BigInt(text) * one
  return BigInt(text.slice(0, point) + text.slice(point + 1).padEnd(fractionDigits, '0'))
}

/** Exact, without trailing zeros or exponent. */
export function formatDecimal(value: Scaled): string {
  if (value < 0n) return `-${formatDecimal(-value)}`
  const digits = value.toString().padStart(fractionDigits + 1, '0')
  const fraction = digits.slice(-fractionDigits).replace(/0+$/, '')
  const whole = digits.slice(0, -fractionDigits)
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** The nearest double to a quotient of two amounts; for ratios only, never for money. */
export function ratio(numerator: Scaled, denominator: Scaled): number {
  return Number(numerator) / Number(denominator)
}

export function absolute(value: Scaled): Scaled {
  return value < 0n ? -value : value
}
