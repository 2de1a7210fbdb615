import { invariant } from '#core/invariant.ts'

type Json = Readonly<Record<string, unknown>>

export type NamedSchemas = {
  /** The schema with each titled part, itself included, replaced by a reference. */
  refer(schema: Json): Json
  /** The parts, by title; complete when every schema was referred. */
  readonly schemas: Readonly<Record<string, Json>>
}

/** Whatever has a title stands in the document once, where generators find a name for it. */
export function namedSchemas(): NamedSchemas {
  const schemas: Record<string, Json> = {}

  function refer(schema: Json): Json {
    const parts = Object.entries(schema).map(([key, value]) => [key, referAll(value)])
    const whole: Json = Object.fromEntries(parts)
    const { title } = whole
    if (typeof title !== 'string') return whole
    const known = schemas[title]
    const isSame = known === undefined || JSON.stringify(known) === JSON.stringify(whole)
    invariant(isSame, `only one schema is called ${title}`)
    schemas[title] = whole
    return { $ref: `#/components/schemas/${title}` }
  }

  function referAll(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(referAll)
    return isObject(value) ? refer(value) : value
  }

  return { refer, schemas }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}
