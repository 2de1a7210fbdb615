import { expect, test } from 'bun:test'
import { accountDirectory } from '#core/order/desk/account-directory.ts'
import { eventually } from '../../integration/world.ts'
import { account, addAccount, callerNamed, setLimit, trader } from './desk-rows.ts'
import { fate, openDeskWorld } from './desk-world.ts'
import { fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)

const directory = () => accountDirectory(world.desk.sql, world.now)
const later = (ms: number) => {
  world.clock.nowMs += ms
}

test('a changed rate is noticed one message later, and after a minute at once', async () => {
  const known = directory()
  const rate = async () =>
    (await known.tradedAccount(trader.principal, undefined)).messagesPerSecond
  expect(await rate()).toBe(100)
  await setLimit(world.sql, 'messages_per_second', '7')
  later(1_999)
  expect(await rate()).toBe(100)
  later(1)
  expect(await rate()).toBe(100)
  await eventually(async () => (await rate()) === 7)
  await setLimit(world.sql, 'messages_per_second', '8')
  later(60_000)
  expect(await rate()).toBe(8)
})

test('what was not found is asked for again, not recalled', async () => {
  const known = directory()
  const { principal } = callerNamed('newcomer')
  const ask = (of?: string) => fate(known.tradedAccount(principal, of))
  expect(await ask()).toBe('account.not_authorized')
  await world.sql`insert into postern_account_trader (account, issuer, subject)
    values (${account}, ${principal.issuer}, ${principal.subject})`
  later(2_000)
  expect(await ask()).toBe('entered')
  await addAccount(world.sql, { id: 'second' })
  await world.sql`insert into postern_account_trader (account, issuer, subject)
    values ('second', ${principal.issuer}, ${principal.subject})`
  later(2_000)
  expect(await ask('second')).toBe('entered')
  expect(await ask()).toBe('account.not_authorized')
})
