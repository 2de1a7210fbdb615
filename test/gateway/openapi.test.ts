import { expect, test } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { z } from 'zod'
import { errorCatalog } from '#core/errors.ts'
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
