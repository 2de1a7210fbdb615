import type { Field, Fields, OneOf, Task } from './profile.ts'

export type Drawn = Readonly<Record<string, Value>>

type Value = string | number

/**
 * Draws a request's values in the order in which they stand, for those that depend on others. Made
 * once for each task and user: an interpreter that reads the profile for each request would take more
 * of the machine than the request. For the same reason what runs for each request does not iterate,
 * destructure or call back: k6's interpreter takes about a microsecond for any of these.
 */
export function fieldDrawer(
  fields: Fields,
  symbols: readonly string[],
  random: () => number,
): () => Drawn {
  const drawers = Object.entries(fields).map(([name, field]) => {
    const draw = valueDrawer(field, symbols, random)
    const conditions = Object.entries(conditionsOf(field))
    const isDrawn = (drawn: Drawn) => conditions.every(([other, value]) => drawn[other] === value)
    return { name, draw, isDrawn: conditions.length === 0 ? undefined : isDrawn }
  })
  return () => {
    const drawn: Record<string, Value> = {}
    for (let at = 0; at < drawers.length; at++) {
      const drawer = drawers[at]
      if (drawer === undefined || drawer.isDrawn?.(drawn) === false) continue
      drawn[drawer.name] = drawer.draw()
    }
    return drawn
  }
}

function conditionsOf(field: Field): Readonly<Record<string, string>> {
  return typeof field === 'object' && 'cents' in field ? (field.when ?? {}) : {}
}

// `Math.floor` itself: each look-up in `Math` costs k6 as much as the call.
const { floor, round } = Math

function valueDrawer(field: Field, symbols: readonly string[], random: () => number): () => Value {
  if (typeof field !== 'object') return () => field
  if ('oneOf' in field) return textDrawer(choicesOf(field, symbols), random)
  if ('cents' in field) {
    const [low, high] = field.cents
    const width = high - low
    return () => round((low + random() * width) * 100) / 100
  }
  const { integer, prefix } = field
  const [low, high] = integer
  const count = high - low + 1
  const whole = () => low + floor(random() * count)
  return prefix === undefined ? whole : () => `${prefix}${whole()}`
}

function choicesOf({ oneOf }: OneOf, symbols: readonly string[]): readonly string[] {
  return oneOf === 'symbols' ? symbols : oneOf
}

function textDrawer(choices: readonly string[], random: () => number): () => string {
  const { length } = choices
  return () => choices[floor(random() * length)] ?? ''
}

/** Draws a path with its `{names}` filled in, and the query behind it. */
export function pathDrawer(
  { path, params = {}, query = {} }: Pick<Task, 'path' | 'params' | 'query'>,
  symbols: readonly string[],
  random: () => number,
): () => string {
  const [start = '', ...named] = path.split('{')
  const filled = named.map((part) => {
    const [name = '', behind = ''] = part.split('}')
    return { before: '', draw: encodedDrawer(params[name] ?? '', symbols, random), behind }
  })
  const pairs = Object.entries(query).map(([name, field], at) => {
    const before = `${at === 0 ? '?' : '&'}${name}=`
    return { before, draw: encodedDrawer(field, symbols, random), behind: '' }
  })
  const parts = [...filled, ...pairs]
  return () => {
    let drawn = start
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at]
      if (part !== undefined) drawn += part.before + part.draw() + part.behind
    }
    return drawn
  }
}

function encodedDrawer(
  field: Field,
  symbols: readonly string[],
  random: () => number,
): () => string {
  if (typeof field !== 'object') {
    const encoded = encodeURIComponent(field)
    return () => encoded
  }
  if ('oneOf' in field) return textDrawer(choicesOf(field, symbols).map(encodeURIComponent), random)
  const draw = valueDrawer(field, symbols, random)
  return () => encodeURIComponent(draw())
}
