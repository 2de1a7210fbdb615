import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { parseAmount } from '#core/order/amount.ts'
import { intentIntake } from '#core/order/desk/intent-intake.ts'
import { guardedIntents } from '#core/order/venue/guarded-intents.ts'
import type { GuardedVenue } from '#core/order/venue/guarded-venue.ts'
import { account, addAccount, orderRow, trader } from '../desk/desk-rows.ts'
import { openDeskWorld } from '../desk/desk-world.ts'
import { fileWorld } from '../desk/file-world.ts'
import { scriptedVenue } from './scripted-venue.ts'

const away = () => Promise.reject(new PosternError('venue.unavailable', { reason: 'no keys' }))
const ready = () => Promise.resolve()
let confirm: GuardedVenue['confirm'] = ready
const venue: GuardedVenue = {
  ...scriptedVenue({ name: 'paper' }),
  confirm: (asked) => confirm(asked),
}

const world = await fileWorld(openDeskWorld)
const intents = guardedIntents(intentIntake(world.workerDesk), {
  sql: world.workerDesk.sql,
  venues: new Map([['paper', venue]]),
})

const statusOf = async ({ id }: { readonly id: string }) =>
  (await orderRow(world.sql, id))?.['status']
const intend = (...ids: readonly string[]) =>
  intents.intend({ venue: 'paper', orders: ids.map((id) => ({ account, id })) })

test('while its venue refuses, an order stays accepted and can be cancelled without it', async () => {
  confirm = away
  const order = await world.place()
  expect(await intend(order.id)).toEqual([])
  expect(await statusOf(order)).toBe('accepted')
  await world.requests.cancel(order.id, trader)
  expect(await statusOf(order)).toBe('canceled')
})

test('what is with the venue already is asked of it all the same', async () => {
  const live = await world.live({ limitPrice: parseAmount('99') })
  confirm = away
  const order = await world.place({ limitPrice: parseAmount('98') })
  await world.requests.cancel(live.id, trader)
  const errands = await intend(order.id, live.id)
  expect(errands.map(({ kind, terms }) => [kind, terms.id])).toEqual([['cancel', live.id]])
  expect(await statusOf(order)).toBe('accepted')
})

test('an account that its venue refuses keeps no other account’s order back', async () => {
  await addAccount(world.sql, { id: 'desk-2' })
  confirm = (asked) => (asked === account ? away() : ready())
  const [order, other] = await Promise.all([world.place(), world.place({ account: 'desk-2' })])
  const orders = [
    { account, id: order.id },
    { account: 'desk-2', id: other.id },
  ]
  const errands = await intents.intend({ venue: 'paper', orders })
  expect(errands.map(({ kind, terms }) => [kind, terms.id])).toEqual([['submit', other.id]])
  expect([await statusOf(order), await statusOf(other)]).toEqual(['accepted', 'pending_new'])
})

test('once it is there again, the order goes out', async () => {
  confirm = away
  const order = await world.place()
  await intend(order.id)
  confirm = ready
  const errands = await intend(order.id)
  expect(errands.map(({ kind }) => kind)).toEqual(['submit'])
  expect(await statusOf(order)).toBe('pending_new')
})

test('a bug in a venue is not taken for its absence', async () => {
  confirm = () => Promise.reject(new TypeError('a bug'))
  const order = await world.place()
  await expect(intend(order.id)).rejects.toThrow('a bug')
  expect(await statusOf(order)).toBe('accepted')
})
