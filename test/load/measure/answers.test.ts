import { expect, test } from 'bun:test'
import { createdOrders, enqueuedScores } from './answers.ts'
import { newRecord } from './record.ts'

const record = newRecord()
for (const [method, name, status] of [
  ['POST', '/orders [POST]', 201],
  ['POST', '/orders [POST HFT]', 201],
  ['POST', '/orders [POST]', 429],
  ['DELETE', '/orders/:id [DELETE own]', 201],
  ['POST', '/jobs/score-wallet [POST]', 202],
  ['POST', '/jobs/score-wallet [POST]', 0],
  ['POST', '/reconcile [POST]', 202],
  ['GET', '/jobs/:id?wait', 202],
] as const) {
  record.add({ atMs: 0, ms: 1, method, name, status, isFailed: status !== 201 && status !== 202 })
}

test('an order is there once 201 says so, of whichever user', () => {
  expect(createdOrders(record)).toBe(2)
})

test('a wallet will be scored once 202 says so', () => {
  expect(enqueuedScores(record)).toBe(1)
})
