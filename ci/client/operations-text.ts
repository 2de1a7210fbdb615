import { z } from 'zod'
import { commentText, memberText, type Schema, schemaText } from './schema-text.ts'

const schema: z.ZodType<Schema> = z.custom<Schema>((value) => typeof value === 'object')
const content = z.record(z.string(), z.looseObject({ schema: schema.default({}) }))
const operation = z.looseObject({
  operationId: z.string(),
  summary: z.string(),
  description: z.string().optional(),
  parameters: z.array(
    z.looseObject({
      name: z.string(),
      in: z.enum(['path', 'query', 'header']),
      required: z.boolean().default(false),
      schema,
    }),
  ),
  requestBody: z.looseObject({ content }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: content.default({}) })),
})
type Operation = z.infer<typeof operation>

const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), schema) }),
})

const json = 'application/json'

const head = `// Made from /openapi.json by ci/generate-client. A change here is lost with the next one there.

`

/** The typed client's part that follows from the document: schemas, operations, and how each is sent. */
export function operationsText(document: unknown): string {
  const { paths, components } = documentSchema.parse(document)
  const schemas = Object.entries(components.schemas).map(
    ([name, one]) =>
      `${commentText(one.description, '')}export type ${name} = ${schemaText(one)}\n`,
  )
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ path, method, one })),
  )
  const types = all.map(({ one }) => operationText(one))
  const rows = all.map(
    ({ path, method, one }) => `  '${one.operationId}': ${rowText(path, method, one)},\n`,
  )
  return `${head}${schemas.join('\n')}
/** By operation id: what a call takes, and what it gives. */
export type Operations = {
${types.join('')}}

export type OperationRow = {
  readonly method: string
  readonly path: string
  /** The parameter of the path that may hold slashes. */
  readonly slashIn?: string
  /** Whether an Idempotency-Key makes it safe to send again. */
  readonly takesKey?: true
  /** JSON unless it says otherwise. */
  readonly gives?: 'text' | 'nothing'
}

export const operationRows: Readonly<Record<keyof Operations, OperationRow>> = {
${rows.join('')}}
`
}

function operationText(one: Operation): string {
  return `${commentText(one.summary, '  ')}  '${one.operationId}': {
    readonly input: ${inputText(one)}
    readonly answer: ${answerText(one)}
  }
`
}

function inputText(one: Operation): string {
  const members = [
    groupText('params', one, 'path'),
    groupText('query', one, 'query'),
    ...bodyText(one),
  ].join('')
  return members === '' ? 'Record<never, never>' : `{\n${members}    }`
}

function groupText(name: string, one: Operation, place: 'path' | 'query'): string {
  const parameters = one.parameters.filter((parameter) => parameter.in === place)
  if (parameters.length === 0) return ''
  const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name)
  const properties = Object.fromEntries(
    parameters.map((parameter) => [parameter.name, parameter.schema]),
  )
  const isRequired = required.length > 0
  return memberText(
    name,
    { type: 'object', properties, required },
    { isRequired, indent: '      ' },
  )
}

/** JSON where the operation takes it, else text of a media type that has to be named. */
function bodyText({ requestBody }: Operation): readonly string[] {
  if (requestBody === undefined) return []
  const place = { isRequired: true, indent: '      ' }
  const asJson = requestBody.content[json]
  if (asJson !== undefined) return [memberText('body', asJson.schema, place)]
  const mediaTypes = Object.keys(requestBody.content)
  return [
    memberText('mediaType', { enum: mediaTypes }, place),
    memberText('body', { type: 'string' }, place),
  ]
}

function answerText(one: Operation): string {
  const texts = goodContents(one).map((entry) => {
    if (entry === undefined) return 'undefined'
    return isJson(entry[0]) ? schemaText(entry[1].schema, '    ') : 'string'
  })
  return [...new Set(texts)].join(' | ')
}

/** Of each answer that is none of an error: its media type and schema. */
function goodContents({ responses }: Operation) {
  const good = Object.entries(responses).filter(([status]) => /^2/.test(status))
  return good.map(([, answer]) => Object.entries(answer.content)[0])
}

const isJson = (mediaType: string) => /^application\/(?:[\w.-]+\+)?json$/.test(mediaType)

/** A parameter without a pattern is one part of the path: that is how routes read it. */
function hasSlash({ schema: { pattern } }: { readonly schema: Schema }): boolean {
  return pattern !== undefined && new RegExp(pattern, 'u').test('a/b')
}

function rowText(path: string, method: string, one: Operation): string {
  const [entry] = goodContents(one)
  const row = [`method: '${method.toUpperCase()}'`, `path: '${path}'`]
  const slashed = one.parameters.find((parameter) => parameter.in === 'path' && hasSlash(parameter))
  if (slashed !== undefined) row.push(`slashIn: '${slashed.name}'`)
  if (one.parameters.some(({ name }) => name === 'Idempotency-Key')) row.push('takesKey: true')
  if (entry === undefined) row.push(`gives: 'nothing'`)
  else if (!isJson(entry[0])) row.push(`gives: 'text'`)
  return `{ ${row.join(', ')} }`
}
