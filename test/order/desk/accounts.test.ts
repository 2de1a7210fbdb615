import { expect, test } from 'bun:test'
import { type AccountSettings, accountStore } from '#core/order/desk/account-store.ts'
import { fileWorld } from './file-world.ts'
import { callerNamed, now, openReadsWorld, place, recordsOf, settle } from './reads-world.ts'

const world = await fileWorld(openReadsWorld)

const store = () => accountStore({ sql: world.gateway, journal: world.journal, now: () => now })
const operator = callerNamed('operator')
const trader = (subject: string) => ({ issuer: 'https://issuer.example', subject })
const settings: AccountSettings = {
  ...{ venue: 'paper', clock: 'replay', startingCash: '100000', isShortAllowed: false },
  ...{ traders: [trader('desk')], paper: {} },
}
const put = (changes: Partial<AccountSettings> = {}, id = 'mine') =>
  store().put(id, { ...settings, ...changes }, operator)

test('a new account without starting cash is refused and not made', async () => {
  expect(await settle(put({ startingCash: undefined }))).toMatchObject({
    code: 'request.body_invalid',
    errors: [{ pointer: '/starting_cash' }],
  })
  expect((await store().list({ limit: 9, cursor: undefined })).accounts).toEqual([])
})

test('starting cash never changes, and nothing else does with it', async () => {
  await put()
  expect(await settle(put({ startingCash: '100001', isShortAllowed: true }))).toMatchObject({
    code: 'request.body_invalid',
    errors: [{ pointer: '/starting_cash' }],
  })
  const [account] = (await store().list({ limit: 9, cursor: undefined })).accounts
  expect(account).toMatchObject({ starting_cash: '100000', is_short_allowed: false })
})

test.each([
  ['/venue', { venue: 'alpaca' }],
  ['/clock', { clock: 'live' }],
] as const)('%s changes as long as the account has had no order', async (pointer, change) => {
  await put()
  await put(change)
  await put()
  await place(world.desk, { account: 'mine' })
  expect(await settle(put(change))).toMatchObject({
    code: 'request.body_invalid',
    errors: [{ pointer }],
  })
  expect((await put({ isShortAllowed: true })).account.is_short_allowed).toBe(true)
})

test('an account is made with its cash and traders, and audited', async () => {
  const { isNew, account } = await put({ paper: { fee_bp: 2 } })
  expect(isNew).toBe(true)
  expect(account).toEqual({
    ...{ id: 'mine', venue: 'paper', clock: 'replay', is_short_allowed: false },
    ...{ starting_cash: '100000', cash: '100000', reserved: '0', open_orders: 0 },
    ...{ paper: { fee_bp: 2 }, created_at: now.toISOString(), reconciled_at: null },
    traders: [trader('desk')],
  })
  expect(await recordsOf(world.sql, 'account.changed')).toMatchObject([
    {
      ...{ target: 'account/mine', outcome: 'ok', actor: { sub: 'operator' } },
      details: { startingCash: '100000', tradersAdded: [trader('desk')], tradersRemoved: [] },
    },
  ])
})

test('a change keeps the cash, replaces the traders, and says what was there before', async () => {
  await put({ traders: [trader('desk'), trader('robot')] })
  await world.sql`update postern_account set cash = 5`
  const { isNew, account } = await put({
    ...{ startingCash: undefined, isShortAllowed: true },
    traders: [trader('robot'), trader('new')],
  })
  expect(isNew).toBe(false)
  expect(account).toMatchObject({
    ...{ cash: '5', starting_cash: '100000', is_short_allowed: true },
    traders: [trader('new'), trader('robot')],
  })
  const [, changed] = await recordsOf(world.sql, 'account.changed')
  expect(changed?.details).toMatchObject({
    previous: { isShortAllowed: false },
    ...{ isShortAllowed: true, tradersAdded: [trader('new')], tradersRemoved: [trader('desk')] },
  })
})

test('of three who make the same account at once one makes it, and the others change it', async () => {
  const made = await Promise.all([put(), put(), put()])
  expect(made.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect(await recordsOf(world.sql, 'account.changed')).toHaveLength(3)
})

test('accounts are listed by id, in pages that neither repeat nor skip', async () => {
  for (const id of ['c', 'a', 'b']) await put({ traders: [trader(`of-${id}`)] }, id)
  const first = await store().list({ limit: 2, cursor: undefined })
  const second = await store().list({ limit: 2, cursor: first.next })
  expect(second.next).toBeUndefined()
  const all = [...first.accounts, ...second.accounts]
  expect(all.map(({ id, traders }) => [id, traders[0]?.subject])).toEqual([
    ['a', 'of-a'],
    ['b', 'of-b'],
    ['c', 'of-c'],
  ])
})
