import { expect, test } from 'bun:test'
import { unknownBreaker } from '#core/market/breaker.ts'
import { fileWorld } from '#test/order/desk/file-world.ts'
import { addAccount, openReadsWorld, passed, place } from '#test/order/desk/reads-world.ts'
import { deskGateway } from './desk-gateway.ts'
import { problemIn } from './memory-gateway.ts'

const world = await fileWorld(openReadsWorld)
const gateway = deskGateway(world)

const get = async (path: string) => await (await gateway.send('GET', path, 'reader')).json()
const put = (path: string, body: unknown, as = 'ann') => gateway.send('PUT', path, as, body)
const post = (path: string, body: unknown, as = 'ann') => gateway.send('POST', path, as, body)
const halt = '/internal/trading/halt'
const rearm = '/internal/trading/rearm'
const accountPath = '/internal/trading/accounts/mine'
const limitsPath = '/internal/trading/limits'
const stateNow = () => get('/internal/trading/state')

const account = {
  ...{ venue: 'paper', clock: 'live', starting_cash: '1000' },
  traders: [{ issuer: 'https://issuer.example', subject: 'desk' }],
}
const limit = { scope: 'account', key: 'mine', name: 'notional_max', value: '5' }

test.each([
  ['ann', 'orders:read', 'GET', '/v1/orders'],
  ['desk', 'trading:read', 'GET', '/internal/trading/state'],
  ['reader', 'trading:admin', 'PUT', accountPath],
  ['reader', 'trading:admin', 'PUT', limitsPath],
  ['bob', 'trading:halt', 'POST', halt],
  ['reader', 'trading:rearm', 'POST', rearm],
])('%s has no scope %s and is refused %s %s', async (as, _scope, method, path) => {
  const response = await gateway.send(method, path, as, method === 'GET' ? undefined : {})
  expect((await problemIn(response)).code).toBe('access.scope_missing')
})

test.each([
  ['/venue', { ...account, venue: 'nasdaq' }],
  ['/clock', { ...account, clock: 'sun' }],
  ['/starting_cash', { ...account, starting_cash: '-1' }],
  ['/starting_cash', { ...account, starting_cash: '1e3' }],
  ['/starting_cash', { ...account, starting_cash: 0.1234567890123456 }],
  ['/starting_cash', { ...account, starting_cash: `1${'0'.repeat(15)}` }],
  ['/starting_cash', { ...account, starting_cash: undefined }],
  ['/traders', { ...account, traders: [account.traders[0], account.traders[0]] }],
  ['/traders', { ...account, traders: Array.from({ length: 51 }, (_, at) => named(`t${at}`)) }],
  ['/traders/0/issuer', { ...account, traders: [{ issuer: 'a b', subject: 'c' }] }],
  ['/paper/mode', { ...account, paper: { mode: 'wild' } }],
  ['/cash', { ...account, cash: '5' }],
])('an account is refused at %s', async (pointer, body) => {
  const problem = await problemIn(await put(accountPath, body))
  expect(problem.code).toBe('request.body_invalid')
  expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
  expect(await get('/internal/trading/accounts')).toEqual({ accounts: [] })
})

function named(subject: string) {
  return { issuer: 'https://issuer.example', subject }
}

test.each(['Mine', '-mine', 'a_b', `a${'b'.repeat(64)}`])('no account is called %p', async (id) => {
  const response = await put(`/internal/trading/accounts/${encodeURIComponent(id)}`, account)
  expect((await problemIn(response)).code).toBe('request.query_invalid')
})

test('an account is made, changed, and seen by its traders', async () => {
  const made = await put(accountPath, account)
  expect([made.status, await made.json()]).toMatchObject([201, { id: 'mine', cash: '1000' }])
  const changed = await put(accountPath, {
    ...account,
    is_short_allowed: true,
    starting_cash: 1000,
  })
  expect([changed.status, await changed.json()]).toMatchObject([200, { is_short_allowed: true }])
  expect(await get('/internal/trading/accounts')).toMatchObject({
    accounts: [{ id: 'mine', traders: [named('desk')] }],
  })
  expect((await gateway.send('GET', '/v1/account', 'desk')).status).toBe(200)
  await put(accountPath, { ...account, traders: [] })
  const gone = await gateway.send('GET', '/v1/account', 'desk')
  expect((await problemIn(gone)).code).toBe('account.not_found')
})

test.each([
  ['/value', { ...limit, value: undefined }],
  ['/value', { ...limit, value: '1,000' }],
  ['/name', { ...limit, name: 'luck_max' }],
  ['/scope', { ...limit, scope: 'planet' }],
  ['/scope', { ...limit, scope: 'firm', key: '' }],
  ['/key', { ...limit, key: undefined }],
  ['/key', { ...limit, key: 'nobody' }],
])('a limit is refused at %s', async (pointer, body) => {
  await addAccount(world.sql, 'mine')
  const problem = await problemIn(await put(limitsPath, body))
  expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
})

test('a limit is set, taken back, and both are in its history', async () => {
  await addAccount(world.sql, 'mine')
  expect(await (await put(limitsPath, limit)).json()).toEqual({ previous: null, value: '5' })
  expect(await get(limitsPath)).toMatchObject({
    limits: [{ ...limit, changed_by: 'https://issuer.example ann' }],
    defaults: { notional_max: '100000' },
  })
  const back = await put(limitsPath, { ...limit, value: null })
  expect(await back.json()).toEqual({ previous: '5', value: null })
  expect(await get(`${limitsPath}/changes?scope=account&key=mine`)).toMatchObject({
    changes: [
      { previous: '5', value: null },
      { previous: null, value: '5' },
    ],
  })
})

test.each([
  ['no reason', '/reason', { scope: 'global' }],
  ['a blank reason', '/reason', { scope: 'global', reason: ' ' }],
  ['501 characters', '/reason', { scope: 'global', reason: 'x'.repeat(501) }],
  ['a key of global', '/key', { scope: 'global', key: 'x', reason: 'test' }],
  ['no symbol', '/key', { scope: 'symbol', reason: 'test' }],
  ['a symbol that is none', '/key', { scope: 'symbol', key: 'a b', reason: 'test' }],
  ['an account that is none', '/key', { scope: 'account', key: 'A', reason: 'test' }],
  ['an empty strategy', '/key', { scope: 'strategy', key: '', reason: 'test' }],
  ['ACTIVE', '/state', { scope: 'global', reason: 'test', state: 'ACTIVE' }],
  [
    'an end that is now',
    '/until',
    { scope: 'global', reason: 'test', until: '2026-03-05T17:00:00Z' },
  ],
])('a halt with %s is refused at %s', async (_name, pointer, body) => {
  const problem = await problemIn(await post(halt, body))
  expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
  expect(await stateNow()).toMatchObject({ switches: [] })
})

test('a halt says what it cancelled, and takes two principals to be lifted', async () => {
  await addAccount(world.sql, 'mine')
  await place(world.desk, { account: 'mine' }, passed)
  await place(world.desk, { account: 'mine' })
  const answered = await post(halt, { scope: 'account', key: 'mine', reason: 'wrong prices' })
  expect([answered.status, await answered.json()]).toEqual([
    200,
    { state: 'HALTED', canceled: 1, canceling: 1, left: 0 },
  ])
  expect(await stateNow()).toMatchObject({
    switches: [{ scope: 'account', key: 'mine', state: 'HALTED', reason: 'wrong prices' }],
  })
  const over = { scope: 'account', key: 'mine', reason: 'fixed' }
  const first = await post(rearm, over)
  expect([first.status, await first.json()]).toEqual([202, { status: 'awaiting_second' }])
  const same = await problemIn(await post(rearm, over))
  expect([same.status, same.code]).toEqual([409, 'trading.second_principal_needed'])
  const second = await post(rearm, over, 'bob')
  expect([second.status, await second.json()]).toEqual([200, { status: 'active' }])
  expect(await stateNow()).toMatchObject({ switches: [] })
})

test('a halt of an account that is not there is 404', async () => {
  const response = await post(halt, { scope: 'account', key: 'none', reason: 'test' })
  expect((await problemIn(response)).code).toBe('account.not_found')
})

test('the state shows the breaker of each market', async () => {
  const breaker = { ...unknownBreaker('2026-03-05'), status: 'HALT', haltLevel: 1, usedL1: true }
  const haltUntil = Date.parse('2026-03-05T17:15:00Z')
  await world.sql`
    update postern_market set breaker = ${world.sql.json({ ...breaker, haltUntil })},
      time = '2026-03-05T17:00:00Z' where clock = 'live'`
  expect(await stateNow()).toMatchObject({
    markets: [
      {
        ...{ clock: 'live', time: '2026-03-05T17:00:00.000Z', index_symbol: 'SPX' },
        breaker: {
          ...{ status: 'HALT', level: 1, used_level_1: true, used_level_2: false },
          halted_until: '2026-03-05T17:15:00.000Z',
        },
      },
      { clock: 'replay', time: null, breaker: null },
    ],
  })
})

test('what was quarantined is listed newest first, page by page', async () => {
  for (const code of ['OVERFILL', 'INVALID_TRANSITION', 'UNKNOWN_TRADE']) {
    await world.sql`
      insert into postern_order_quarantine (account, code, report, at)
      values ('mine', ${code}, '{"type": "trade"}', '2026-03-05T17:00:00Z')`
  }
  const first = await get('/internal/trading/quarantine?limit=2')
  expect(first).toMatchObject({
    quarantined: [
      { code: 'UNKNOWN_TRADE', account: 'mine', order_id: null, report: { type: 'trade' } },
      { code: 'INVALID_TRANSITION', resolved_at: null },
    ],
    next: '2',
  })
  const second = await get('/internal/trading/quarantine?limit=2&cursor=2&account=mine')
  expect(second).toMatchObject({ quarantined: [{ code: 'OVERFILL' }] })
  expect(second).not.toHaveProperty('next')
})
