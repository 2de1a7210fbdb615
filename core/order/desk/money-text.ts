import { z } from 'zod'
import { decimalFault, formatDecimal, parseDecimal } from '../../decimal.ts'

/** A double holds any decimal of so many digits; beyond, its shortest text may not be what was meant. */
const significantDigitsMax = 15
/** Ten times the largest firm's money; sums and products stay within their columns. */
const integerDigitsMax = 15

/** Money or a limit: a decimal string, or a JSON number taken by its shortest text. Stays text. */
export const moneySchema = z
  .union([z.string().max(40), z.number()])
  .transform((value, context) => {
    const text = typeof value === 'number' ? String(value) : value
    const fault = decimalFault(text) ?? sizeFault(text, typeof value === 'number')
    if (fault === undefined) return formatDecimal(parseDecimal(text))
    context.addIssue({ code: 'custom', message: fault })
    return z.NEVER
  })
  .meta({
    type: 'string',
    description: 'A decimal such as "100000"; a number of at most 15 digits is taken too',
  })

function sizeFault(text: string, isNumber: boolean): string | undefined {
  const [whole = ''] = text.split('.')
  if (whole.length > integerDigitsMax) {
    return `must have at most ${integerDigitsMax} digits before the point`
  }
  if (isNumber && text.replace('.', '').replace(/^0+/, '').length > significantDigitsMax) {
    return `a JSON number of more than ${significantDigitsMax} digits is not exact; send a string`
  }
  return undefined
}
