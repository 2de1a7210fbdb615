import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { eventually } from '#test/integration/world.ts'
import { insideAddress, memoryGateway, outsideAddress, problemIn } from './memory-gateway.ts'

test('every refused token gets the same bytes; what was wrong stands in log and audit', async () => {
  const { request, records, lines } = memoryGateway()
  const bodies = []
  for (const as of ['expired', 'nonsense', '']) {
    const response = await request('/v1/kinds', { as })
    expect(response.headers.get('x-request-id')).toBeString()
    bodies.push(await response.text())
  }
  expect(new Set(bodies).size).toBe(1)
  const reasons = ['token.expired', 'token.malformed']
  expect(records.map((record) => record.reason)).toEqual(reasons)
  expect(lines.map((line) => line.fields['reason'])).toEqual([...reasons, 'token.malformed'])
  expect(JSON.stringify([records, lines])).not.toContain('nonsense')
})

test('a refusal is recorded with caller, route, rule and request', async () => {
  const { request, records } = memoryGateway()
  const response = await request('/internal/queues', { as: 'none' })
  expect(records).toMatchObject([
    {
      type: 'access.refused',
      actor: { sub: 'none', kid: 'k1', jti: 'none-1' },
      clientAddress: insideAddress,
      requestId: response.headers.get('x-request-id'),
      target: 'route/GET /internal/queues',
      outcome: 'refused',
      reason: 'scope.missing',
      details: { code: 'access.scope_missing' },
    },
  ])
})

test('a refusal that cannot be recorded is no refusal but 503', async () => {
  const { request, failAuditWith } = memoryGateway()
  failAuditWith(new PosternError('audit.unavailable'))
  const response = await request('/v1/kinds', { address: outsideAddress })
  expect((await problemIn(response)).code).toBe('audit.unavailable')
  expect(response.headers.get('retry-after')).toBe('1')
})

test('a refusal that follows one that could not be recorded does not pass in its shadow', async () => {
  const { request, records, failAuditWith } = memoryGateway()
  failAuditWith(new PosternError('audit.unavailable'))
  const refuse = async () => (await request('/v1/kinds', { address: outsideAddress })).status
  expect(await Promise.all([refuse(), refuse()])).toEqual([503, 503])
  expect(await refuse()).toBe(503)
  failAuditWith(undefined)
  expect(await Promise.all([refuse(), refuse()])).toEqual([403, 403])
  expect(records).toHaveLength(1)
})

test('a count of refusals that cannot be written is kept until it can', async () => {
  const { request, records, lines, failAuditWith, gateway } = memoryGateway()
  for (let count = 0; count < 3; count++) await request('/v1/kinds', { address: outsideAddress })
  failAuditWith(new PosternError('audit.unavailable'))
  await eventually(() => lines.some(({ event }) => event === 'audit.refusals_late'))
  failAuditWith(undefined)
  await gateway.close()
  expect(records.map(({ details }) => details?.['count'])).toEqual([undefined, 2])
})

test('a flood of refusals becomes one record and, later, one with their count', async () => {
  const { request, records, gateway } = memoryGateway()
  for (let count = 0; count < 100; count++) await request('/v1/kinds', { address: outsideAddress })
  await request('/v1/kinds', { as: 'expired' })
  expect(records.map((record) => record.reason)).toEqual(['address.outside_zone', 'token.expired'])
  await gateway.close()
  expect(records.length).toBe(3)
  expect(records[2]).toMatchObject({
    reason: 'address.outside_zone',
    clientAddress: outsideAddress,
    requestId: undefined,
    details: { count: 99 },
  })
})

test('admitted reads of a caller share a record that names each of them', async () => {
  const { request, records, gateway } = memoryGateway()
  const ids = []
  for (const path of ['/v1/kinds', '/v1/jobs/0190a3f2-7c1e-7a4b-9d2e-5f60718293a4']) {
    ids.push((await request(path)).headers.get('x-request-id'))
  }
  await request('/v1/kinds', { as: 'other' })
  await request('/healthz', { as: '' })
  await gateway.close()
  expect(records.map((record) => [record.type, record.actor?.sub])).toEqual([
    ['access.read', 'all'],
    ['access.read', 'other'],
  ])
  expect(records[0]?.details).toEqual({
    reads: [
      [0, '/v1/kinds', '/v1/kinds', 200, ids[0]],
      [
        expect.any(Number),
        '/v1/jobs/:id',
        '/v1/jobs/0190a3f2-7c1e-7a4b-9d2e-5f60718293a4',
        404,
        ids[1],
      ],
    ],
  })
})

test('a record of reads is written when it is full', async () => {
  const { request, records } = memoryGateway()
  for (let count = 0; count < 65; count++) await request('/v1/kinds')
  expect(records.length).toBe(1)
  expect(records[0]?.details?.['reads']).toHaveLength(64)
})

test('every request ends in one log line, without token or query', async () => {
  const { request, lines } = memoryGateway()
  await request('/v1/jobs?tag=sensitive')
  expect(lines.length).toBe(1)
  expect(lines[0]).toMatchObject({
    event: 'request.finished',
    fields: { method: 'GET', route: '/v1/jobs', status: 200, subject: 'all' },
  })
  expect(JSON.stringify(lines)).not.toMatch(/Bearer|sensitive/)
})
