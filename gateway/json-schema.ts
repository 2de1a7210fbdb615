import { z } from 'zod'

/** The JSON Schema (2020-12, as OpenAPI 3.1 takes it) of what goes in or comes out of a schema. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
