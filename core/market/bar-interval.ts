import { z } from 'zod'

/** The interval of a trading day, whatever its length; the bar ends at its session's close. */
export const dayIntervalMs = 86_400_000

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: dayIntervalMs } as const

const pattern = /^([1-9]\d{0,4})([smhd])$/

/** Milliseconds of a text such as `1m`, `4h` or `1d`; undefined for any other text. */
export function parseInterval(text: string): number | undefined {
  const [, count, unit] = pattern.exec(text) ?? []
  if (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd') return undefined
  const ms = Number(count) * unitsMs[unit]
  return ms <= dayIntervalMs ? ms : undefined
}

/** In the largest unit that holds it whole: an hour is `1h`, ninety minutes are `90m`. */
export function formatInterval(ms: number): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    if (ms % unitsMs[unit] === 0) return `${ms / unitsMs[unit]}${unit}`
  }
  return `${ms / unitsMs.s}s`
}

/** A query parameter. */
export const intervalSchema = z
  .string()
  .transform((text, context) => {
    const ms = parseInterval(text)
    if (ms !== undefined) return ms
    context.addIssue({ code: 'custom', message: 'must be such as 1s, 5m, 1h, and at most 1d' })
    return z.NEVER
  })
  .meta({ type: 'string', description: 'Length of a bar: 30s, 1m, 1h, 1d', example: '1m' })
