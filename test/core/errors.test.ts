import { expect, test } from 'bun:test'
import { type ErrorCode, errorCatalog, isRetryable, PosternError } from '#core/errors.ts'
import { databaseOutage } from '#core/postgres/outage.ts'

const codes = Object.keys(errorCatalog).filter((code): code is ErrorCode => code in errorCatalog)

test('every code is written as area.reason in lower case, with a status and a title', () => {
  for (const code of codes) {
    expect(code).toMatch(/^(?:internal|[a-z]+\.[a-z_]+)$/)
    expect(errorCatalog[code].status).toBeGreaterThanOrEqual(400)
    expect(errorCatalog[code].status).toBeLessThan(600)
    expect(errorCatalog[code].title).toMatch(/^[A-Z][^.]*$/)
  }
})

test('a refusal is final, an outage may pass', () => {
  expect(isRetryable(new PosternError('request.body_invalid'))).toBe(false)
  expect(isRetryable(new PosternError('access.rate_limited'))).toBe(false)
  expect(isRetryable(new PosternError('database.unavailable'))).toBe(true)
})

test('the message is for the log and never holds more than was given', () => {
  const cause = new Error('driver words')
  const error = new PosternError('request.body_invalid', { detail: 'for the caller', cause })
  expect(error.message).toBe('for the caller')
  expect(error.cause).toBe(cause)
  expect(new PosternError('internal').message).toBe(errorCatalog.internal.title)
})

test.each([
  ['ECONNREFUSED', true],
  ['CONNECTION_CLOSED', true],
  ['57P01', true],
  ['57P03', true],
  ['57014', true],
  ['53300', true],
  ['08006', true],
  ['40P01', true],
  ['25006', true],
  ['22P05', false],
  ['23505', false],
  ['42P01', false],
  ['54001', false],
])('SQLSTATE or driver code %s is an outage: %p', (code, isOutage) => {
  const error = Object.assign(new Error('driver words'), { code })
  expect(databaseOutage(error)?.code).toBe(isOutage ? 'database.unavailable' : undefined)
})

test('an outage tells its caller when to come again and nothing of the driver', () => {
  const error = Object.assign(new Error('connect 10.0.0.7:5432'), { code: 'ECONNREFUSED' })
  const outage = databaseOutage(error)
  expect(outage?.retryAfterSeconds).toBe(1)
  expect(outage?.detail).toBeUndefined()
})

test.each([undefined, null, 'x', 7, {}, new Error('bug')])('%p is no outage', (error) => {
  expect(databaseOutage(error)).toBeUndefined()
})
