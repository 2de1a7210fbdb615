import { expect, test } from 'bun:test'
import { z } from 'zod'
import { replaceAnswerSchema } from '#core/order/order-document.ts'
import { orderRow } from '#test/order/desk/desk-rows.ts'
import { expectNoFaultsAfterEach, fileWorld } from '#test/order/desk/file-world.ts'
import { problemIn } from './memory-gateway.ts'
import { openOrderGateway } from './order-gateway.ts'

const orders = await fileWorld(openOrderGateway)
const { world } = orders
expectNoFaultsAfterEach(world)

test.each(['ORD-17', '00000000-0000-0000-0000-000000000000', 'x'.repeat(128), '-1'])(
  'what names no order is 404: %s',
  async (id) => {
    const path = encodeURIComponent(id)
    for (const response of [
      await orders.cancel(path),
      await orders.patch(path, { quantity: '5' }),
    ]) {
      expect(await problemIn(response)).toMatchObject({ status: 404, code: 'order.not_found' })
    }
  },
)

test('an order of somebody else is as absent as one that never was', async () => {
  const { id } = await orders.place()
  const answers = await Promise.all(
    [id, Bun.randomUUIDv7()].map(async (one) => {
      const {
        instance: _instance,
        requestId: _requestId,
        ...problem
      } = await problemIn(await orders.cancel(one, 'other'))
      return problem
    }),
  )
  expect(answers[0]).toMatchObject({ status: 404, code: 'order.not_found' })
  expect(answers[0]).toEqual(answers[1])
  expect(await orderRow(world.sql, id)).toMatchObject({ status: 'accepted' })
})

test('a cancel is 204 without a body, and 409 once there is nothing to cancel', async () => {
  const { id } = await orders.place()
  const response = await orders.cancel(id.toUpperCase())
  expect(response.status).toBe(204)
  expect(await response.text()).toBe('')
  expect(await problemIn(await orders.cancel(id))).toMatchObject({
    ...{ status: 409, code: 'order.transition_refused' },
  })
})

test.each([
  ['nothing to change', {}, ''],
  ['a negative quantity', { quantity: '-5' }, '/quantity'],
  ['a symbol, which stays', { symbol: 'MSFT', quantity: '5' }, '/symbol'],
])('a change that names %s is refused', async (_name, body, pointer) => {
  const { id } = await orders.place()
  const problem = await problemIn(await orders.patch(id, body))
  expect(problem).toMatchObject({ status: 422, code: 'request.body_invalid' })
  expect(problem.errors?.map((each) => each.pointer)).toEqual([pointer])
})

test('an order that is not at its venue yet cannot be replaced, one that is asks for it', async () => {
  const { id } = await orders.place()
  expect(await problemIn(await orders.patch(id, { quantity: '5' }))).toMatchObject({
    ...{ status: 409, code: 'order.transition_refused' },
  })
  const live = await world.live({ timeInForce: 'gtc' })
  const answered = await orders.patch(live.id, { quantity: 12, limit_price: '99.5' })
  const { order, replacement } = replaceAnswerSchema.parse(await answered.json())
  expect(order).toMatchObject({ status: 'pending_replace', quantity: '10' })
  expect(replacement).toEqual({ status: 'pending', order_id: expect.any(String) })
  expect(await problemIn(await orders.patch(live.id, { quantity: '5' }))).toMatchObject({
    status: 409,
  })
  expect(await problemIn(await orders.cancel(live.id))).toMatchObject({ status: 409 })
})

test('a change that fails a check is answered as denied, and leaves the order as it was', async () => {
  const live = await world.live()
  const body = await (await orders.patch(live.id, { limit_price: '150' })).json()
  expect(z.looseObject({ replacement: z.unknown() }).parse(body).replacement).toMatchObject({
    ...{ status: 'denied', reject_code: 'PRICE_COLLAR' },
  })
  expect(await orderRow(world.sql, live.id)).toMatchObject({ status: 'new', next: null })
})
