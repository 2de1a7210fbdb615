import { expect, test } from 'bun:test'
import { operationsText } from '../../ci/client/operations-text.ts'
import { type Schema, schemaText } from '../../ci/client/schema-text.ts'

const cases: readonly (readonly [string, Schema])[] = [
  ['unknown', {}],
  ['number', { type: 'integer' }],
  ['string | null', { type: ['string', 'null'] }],
  ['"a" | "b"', { enum: ['a', 'b'] }],
  ['1', { const: 1 }],
  ['Job', { $ref: '#/components/schemas/Job' }],
  ['Job | null', { anyOf: [{ $ref: '#/components/schemas/Job' }, { type: 'null' }] }],
  ['string', { oneOf: [{ type: 'string' }, { type: 'string' }] }],
  ['(string) & (number)', { allOf: [{ type: 'string' }, { type: 'number' }] }],
  ['ReadonlyArray<string | null>', { type: 'array', items: { type: ['string', 'null'] } }],
  [
    'readonly [string, number]',
    { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
  ],
  ['Record<string, never>', { type: 'object', additionalProperties: false }],
  [
    '{\n  readonly [name: string]: number\n}',
    { type: 'object', additionalProperties: { type: 'number' } },
  ],
  ['{\n  readonly [name: string]: unknown\n}', { type: 'object', additionalProperties: true }],
  [
    '{\n  /** A * / comment */\n  readonly a: string\n  readonly "b-c"?: number\n}',
    {
      type: 'object',
      properties: { a: { type: 'string', description: 'A */ comment' }, 'b-c': { type: 'number' } },
      required: ['a'],
    },
  ],
]

test.each(cases)('%s is the type of its schema', (expected, schema) => {
  expect(schemaText(schema)).toBe(expected)
})

const problem = { content: { 'application/problem+json': { schema: {} } } }

test('an operation has its parameters by place, its body and every answer but errors', () => {
  const text = operationsText({
    components: { schemas: {} },
    paths: {
      '/v1/things/{id}': {
        post: {
          operationId: 'make-thing',
          summary: 'Makes it',
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
            { name: 'wait', in: 'query', schema: { type: 'integer' } },
            { name: 'Idempotency-Key', in: 'header', schema: { type: 'string' } },
          ],
          requestBody: { content: { 'application/json': { schema: { type: 'string' } } } },
          responses: {
            200: { content: { 'application/json': { schema: { type: 'number' } } } },
            202: {},
            404: problem,
          },
        },
      },
      '/v1/rows': {
        post: {
          ...{ operationId: 'add-rows', summary: 'Adds', parameters: [] },
          requestBody: { content: { 'text/csv': {}, 'application/x-ndjson': {} } },
          responses: { 204: {}, 400: problem },
        },
      },
    },
  })
  expect(text).toContain(`  /** Makes it */
  'make-thing': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
      readonly query?: {
        readonly wait?: number
      }
      readonly body: string
    }
    readonly answer: number | undefined
  }
`)
  expect(text).toContain(`    readonly input: {
      readonly mediaType: "text/csv" | "application/x-ndjson"
      readonly body: string
    }
    readonly answer: undefined
`)
  expect(text).toContain(
    `  'make-thing': { method: 'POST', path: '/v1/things/{id}', takesKey: true },\n`,
  )
  expect(text).toContain(`  'add-rows': { method: 'POST', path: '/v1/rows', gives: 'nothing' },\n`)
})
