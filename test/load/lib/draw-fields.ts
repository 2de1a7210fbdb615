import type { Field, Fields } from './profile.ts'

export type Drawn = Readonly<Record<string, Value>>

type Value = string | number

/**
 * Draws a request's values in the order in which they stand, for those that depend on others. Made
 * once for each task and user: an interpreter that reads the profile for each request would take more
 * of the machine than the request.
 */
export function fieldDrawer(
  fields: Fields,
  symbols: readonly string[],
  random: () => number,
): () => Drawn {
  const drawers = Object.entries(fields).map(([name, field]) => {
    const conditions = Object.entries(conditionsOf(field))
    const draw = valueDrawer(field, symbols, random)
    return (drawn: Record<string, Value>) => {
      if (conditions.every(([other, value]) => drawn[other] === value)) drawn[name] = draw()
      return drawn
    }
  })
  return () => drawers.reduce<Record<string, Value>>((drawn, draw) => draw(drawn), {})
}

function conditionsOf(field: Field): Readonly<Record<string, string>> {
  return typeof field === 'object' && 'cents' in field ? (field.when ?? {}) : {}
}

function valueDrawer(field: Field, symbols: readonly string[], random: () => number): () => Value {
  if (typeof field !== 'object') return () => field
  if ('oneOf' in field) {
    const choices = field.oneOf === 'symbols' ? symbols : field.oneOf
    return () => choices[Math.floor(random() * choices.length)] ?? ''
  }
  if ('cents' in field) {
    const [low, high] = field.cents
    return () => Math.round((low + random() * (high - low)) * 100) / 100
  }
  const { integer, prefix } = field
  const [low, high] = integer
  const whole = () => low + Math.floor(random() * (high - low + 1))
  return prefix === undefined ? whole : () => `${prefix}${whole()}`
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
