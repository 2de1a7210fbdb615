import { expect, test } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { z } from 'zod'
import { errorCatalog } from '#core/errors.ts'
import { namedSchemas } from '#gateway/named-schemas.ts'
import { memoryGateway, problemIn } from './memory-gateway.ts'

const { gateway, request } = memoryGateway()

const operation = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  responses: z.record(z.string(), z.looseObject({ description: z.string() })),
})
const document = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operation)),
})

async function fetchDocument() {
  return document.parse(await (await request('/openapi.json', { as: '' })).json())
}

test('the document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(await fetchDocument())
  expect(result.errors ?? []).toEqual([])
  expect(result.valid).toBe(true)
})

test('every operation is in it, with its scope', async () => {
  const { paths } = await fetchDocument()
  const shown = gateway.routes.filter((route) => route.hidden !== true)
  for (const route of shown) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    const found = paths[path]?.[route.method.toLowerCase()]
    expect(found?.operationId).toBe(route.operationId)
    const security = route.scope === undefined ? [] : [{ bearer: [route.scope] }]
    expect(found?.security).toEqual(security)
  }
})

test('an operation lists the problems it can answer with', async () => {
  const { paths } = await fetchDocument()
  const { responses } = paths['/v1/jobs/score-wallet']?.['post'] ?? {}
  expect(Object.keys(responses ?? {})).toEqual(
    '200 202 400 401 403 409 413 415 422 429 500 503'.split(' '),
  )
  expect(responses?.['409']?.description).toContain('idempotency.in_flight')
})

test('the type of every problem resolves to its page', async () => {
  for (const [code, { status, title }] of Object.entries(errorCatalog)) {
    const response = await request(`/problems/${code}`, { as: '' })
    expect(await response.json()).toEqual({ type: `/problems/${code}`, code, status, title })
  }
  expect((await problemIn(await request('/problems/none'))).code).toBe('route.not_found')
})

test('what has a title stands once in the document, and everywhere else as a reference', async () => {
  const shown = z.object({
    components: z.object({ schemas: z.record(z.string(), z.looseObject({ title: z.string() })) }),
  })
  const text = await (await request('/openapi.json', { as: '' })).text()
  const { schemas } = shown.parse(JSON.parse(text)).components
  expect(Object.keys(schemas)).toEqual(
    expect.arrayContaining(['Problem', 'Job', 'JobReceipt', 'ScoreWalletJob', 'ProblemType']),
  )
  for (const [name, { title }] of Object.entries(schemas)) {
    expect(title).toBe(name)
    expect(text.split(`"title":"${title}"`).length).toBe(2)
  }
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)]
  expect(references.filter(([, name = '']) => schemas[name] === undefined)).toEqual([])
})

test('two schemas of one title are a bug that the document does not hide', () => {
  const named = namedSchemas()
  named.refer({ title: 'Job', type: 'string' })
  expect(() => named.refer({ title: 'Job', type: 'integer' })).toThrow('only one schema')
})

test('a problem lists every code, and a finished job has the result of its kind', async () => {
  const text = await (await request('/openapi.json', { as: '' })).text()
  const { components } = z
    .object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) })
    .parse(JSON.parse(text))
  expect(components.schemas['Problem']).toMatchObject({
    properties: { code: { enum: Object.keys(errorCatalog) } },
  })
  expect(components.schemas['ScoreWalletJob']).toMatchObject({
    properties: { kind: { const: 'score-wallet' }, result: { properties: { score: {} } } },
  })
})
