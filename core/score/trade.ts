import { z } from 'zod'
import { decimalFault, parseDecimal, type Scaled } from '../decimal.ts'
import { isAddress } from './base58.ts'
import { assetOf, wrappedSol } from './mints.ts'

/** Solana's first block; nothing was traded before. */
const earliestMs = Date.UTC(2020, 2, 16)
/** The end of four-digit sanity: seconds beyond it are mostly milliseconds given as seconds. */
const latestMs = Date.UTC(2100, 0, 1)
/** Addresses seen before, so that a million rows do not decode the same few mints again. */
const rememberedMax = 50_000

/** One swap with its amounts as scaled integers. USD values are those of the moment of the swap. */
export type Trade = {
  readonly wallet: string
  readonly signature: string
  readonly timeMs: number
  readonly mintIn: string
  readonly mintOut: string
  readonly amountIn: Scaled
  readonly amountOut: Scaled
  readonly usdIn: Scaled
  readonly usdOut: Scaled
  readonly feeUsd: Scaled
  readonly failed: boolean
}

const remembered = new Set<string>()

function isKnownAddress(text: string): boolean {
  if (remembered.has(text)) return true
  if (!isAddress(text)) return false
  if (remembered.size >= rememberedMax) remembered.clear()
  remembered.add(text)
  return true
}

/** A Solana address; case counts. */
export const addressSchema = z
  .string('must be text')
  .refine(isKnownAddress, 'must be a base58 address of 32 bytes')
  .meta({
    description: 'Solana address: base58 that decodes to 32 bytes',
    example: 'So11111111111111111111111111111111111111112',
  })

const decimalSchema = z
  .string('must be a decimal in quotes, such as "12.5"')
  .check(({ value, issues }) => {
    const message = decimalFault(value)
    if (message !== undefined) issues.push({ code: 'custom', message, input: value })
  })
  .meta({
    description: 'Decimal: at most 20 digits before and 18 after the point',
    example: '12.5',
  })

const signatureSchema = z
  .string('must be text')
  .regex(/^[1-9A-HJ-NP-Za-km-z]{64,88}$/, 'must be a base58 transaction signature')

const timeSchema = z
  .union([z.string(), z.number()], 'must be an RFC 3339 time or Unix seconds')
  .refine((time) => parseTime(time) !== undefined, {
    message: 'must be an RFC 3339 time with offset, or whole Unix seconds, from 2020-03-16 on',
  })
  .meta({ description: 'RFC 3339 with offset, or Unix seconds', example: '2026-01-31T09:30:00Z' })

const swapShape = {
  signature: signatureSchema,
  time: timeSchema,
  mintIn: addressSchema,
  mintOut: addressSchema,
  amountIn: decimalSchema,
  amountOut: decimalSchema,
  usdIn: decimalSchema,
  usdOut: decimalSchema,
  feeUsd: decimalSchema,
  failed: z.boolean('must be true or false').optional(),
} as const

/** A swap as it is sent when the wallet is named beside it. */
export const swapSchema = z.strictObject(swapShape).check(checkSwap)
export type Swap = z.infer<typeof swapSchema>

/** A swap as it stands in a file or an ingested stream: one row. */
export const tradeRowSchema = z
  .strictObject({ wallet: addressSchema, ...swapShape })
  .check(checkSwap)
export type TradeRow = z.infer<typeof tradeRowSchema>

export const tradeColumns = ['wallet', ...Object.keys(swapShape)]
export const optionalTradeColumns: ReadonlySet<string> = new Set(['failed'])

function checkSwap({ value, issues }: z.core.ParsePayload<Swap>): void {
  if (value.failed === true) return
  const refuse = (column: keyof Swap, message: string) =>
    issues.push({ code: 'custom', path: [column], message, input: value })
  for (const column of positiveColumns) {
    if (isZero(value[column])) refuse(column, 'must be above zero')
  }
  if (value.mintIn === value.mintOut && assetOf(value.mintIn) !== wrappedSol) {
    refuse('mintOut', 'must differ from mintIn')
  }
}

const positiveColumns = ['amountIn', 'amountOut', 'usdIn', 'usdOut'] as const

function isZero(text: string): boolean {
  return text.startsWith('0') && /^[0.]+$/.test(text)
}

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** Milliseconds since the epoch, or undefined for what is no time of a swap. */
export function parseTime(time: string | number): number | undefined {
  const ms = typeof time === 'number' ? wholeSeconds(time) : textTime(time)
  if (!Number.isInteger(ms) || ms < earliestMs || ms >= latestMs) return undefined
  return ms
}

function wholeSeconds(seconds: number): number {
  return Number.isInteger(seconds) ? seconds * 1000 : Number.NaN
}

function textTime(text: string): number {
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text) * 1000
  const match = rfc3339.exec(text)
  if (match === null) return Number.NaN
  const [, year, month, day] = match
  // Date.parse rolls 30 February over into March.
  const monthDays = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (Number(day) < 1 || Number(day) > monthDays) return Number.NaN
  return Math.trunc(Date.parse(text))
}

/** The trade of a checked row. */
export function tradeOf(wallet: string, swap: Swap): Trade {
  return {
    wallet,
    signature: swap.signature,
    timeMs: parseTime(swap.time) ?? Number.NaN,
    mintIn: assetOf(swap.mintIn),
    mintOut: assetOf(swap.mintOut),
    amountIn: parseDecimal(swap.amountIn),
    amountOut: parseDecimal(swap.amountOut),
    usdIn: parseDecimal(swap.usdIn),
    usdOut: parseDecimal(swap.usdOut),
    feeUsd: parseDecimal(swap.feeUsd),
    failed: swap.failed ?? false,
  }
}
