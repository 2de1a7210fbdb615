import type { Field, Fields } from './profile.ts'

export type Drawn = Readonly<Record<string, string | number>>

/** Draws a request's values in the order in which they stand, for those that depend on others. */
export function drawFields(
  fields: Fields,
  symbols: readonly string[],
  random: () => number,
): Drawn {
  const drawn: Record<string, string | number> = {}
  for (const [name, field] of Object.entries(fields)) {
    if (isLeftOut(field, drawn)) continue
    drawn[name] = drawField(field, symbols, random)
  }
  return drawn
}

function isLeftOut(field: Field, drawn: Drawn): boolean {
  if (typeof field !== 'object' || !('cents' in field)) return false
  return Object.entries(field.when ?? {}).some(([name, value]) => drawn[name] !== value)
}

function drawField(
  field: Field,
  symbols: readonly string[],
  random: () => number,
): string | number {
  if (typeof field !== 'object') return field
  if ('oneOf' in field) {
    const choices = field.oneOf === 'symbols' ? symbols : field.oneOf
    return choices[Math.floor(random() * choices.length)] ?? ''
  }
  if ('cents' in field) {
    const [low, high] = field.cents
    return Math.round((low + random() * (high - low)) * 100) / 100
  }
  const [low, high] = field.integer
  const whole = low + Math.floor(random() * (high - low + 1))
  return field.prefix === undefined ? whole : `${field.prefix}${whole}`
}

/** A path with its `{names}` filled in, and the query behind it. */
export function pathOf(path: string, params: Drawn, query: Drawn): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  )
  const pairs = Object.entries(query).map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value))}`,
  )
  return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`
}
