/** A JSON Schema as OpenAPI 3.1 holds it; of its members those that decide a type or a path. */
export type Schema = {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly pattern?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly items?: Schema
  readonly prefixItems?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly description?: string
}

const plain: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
}

/** The TypeScript type of what a schema admits; what it cannot say (patterns, ranges) is left out. */
export function schemaText(schema: Schema, indent = ''): string {
  if (schema.$ref !== undefined) return schema.$ref.replace('#/components/schemas/', '')
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return union(choices.map((choice) => schemaText(choice, indent)))
  if (schema.allOf !== undefined) {
    return schema.allOf.map((part) => `(${schemaText(part, indent)})`).join(' & ')
  }
  if (Array.isArray(schema.type)) {
    return union(schema.type.map((type: string) => typeText({ ...schema, type }, indent)))
  }
  return typeText(schema, indent)
}

function typeText(schema: Schema, indent: string): string {
  if (schema.type === 'array') return arrayText(schema, indent)
  if (schema.type === 'object') return objectText(schema, indent)
  return plain[String(schema.type)] ?? 'unknown'
}

function union(choices: readonly string[]): string {
  return [...new Set(choices)].join(' | ')
}

function arrayText({ items, prefixItems }: Schema, indent: string): string {
  if (prefixItems !== undefined) {
    return `readonly [${prefixItems.map((item) => schemaText(item, indent)).join(', ')}]`
  }
  return `ReadonlyArray<${items === undefined ? 'unknown' : schemaText(items, indent)}>`
}

function objectText(schema: Schema, indent: string): string {
  const { properties = {}, required = [], additionalProperties: others } = schema
  const members = Object.entries(properties).map(([name, property]) =>
    memberText(name, property, { isRequired: required.includes(name), indent: `${indent}  ` }),
  )
  const isOpen = others !== undefined && others !== false && members.length === 0
  if (isOpen) members.push(`${indent}  readonly [name: string]: ${othersText(others, indent)}\n`)
  return members.length === 0 ? 'Record<string, never>' : `{\n${members.join('')}${indent}}`
}

function othersText(others: true | Schema, indent: string): string {
  return others === true ? 'unknown' : schemaText(others, `${indent}  `)
}

export function memberText(
  name: string,
  schema: Schema,
  { isRequired, indent }: { readonly isRequired: boolean; readonly indent: string },
): string {
  const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
  const type = schemaText(schema, indent)
  const comment = commentText(schema.description, indent)
  return `${comment}${indent}readonly ${key}${isRequired ? '' : '?'}: ${type}\n`
}

export function commentText(text: string | undefined, indent: string): string {
  return text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '* /')} */\n`
}
