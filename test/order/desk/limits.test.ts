import { beforeEach, expect, test } from 'bun:test'
import { type LimitSetting, limitFault } from '#core/order/desk/limit-rules.ts'
import { limitStore } from '#core/order/desk/limit-store.ts'
import { limitNames, limitsFor } from '#core/order/limits.ts'
import { fileWorld } from './file-world.ts'
import { addAccount, callerNamed, now, openReadsWorld, recordsOf, settle } from './reads-world.ts'

const world = await fileWorld(openReadsWorld)
beforeEach(() => addAccount(world.sql, 'mine'))

const store = () => limitStore({ sql: world.gateway, journal: world.journal, now: () => now })
const ann = callerNamed('ann')
const own = { scope: 'account', key: 'mine', name: 'notional_max' } as const
const everything = { scope: undefined, key: undefined, limit: 50 }
const put = (change: Partial<LimitSetting>, who = ann) =>
  store().put({ ...own, value: '5', ...change }, who)

test.each([
  ['/scope', { scope: 'firm', key: '' }],
  ['/scope', { scope: 'sector', key: 'Energy', name: 'quantity_max' }],
  ['/scope', { scope: 'account', name: 'exposure_max' }],
  ['/scope', { scope: 'symbol', key: 'AAPL', name: 'messages_per_second' }],
  ['/key', { scope: 'firm', key: 'x', name: 'exposure_max' }],
  ['/key', { key: '' }],
  ['/value', { name: 'quantity_max', value: '0.0000000001' }],
  ['/value', { name: 'quantity_max', value: '1000000000' }],
  ['/value', { name: 'collar_bp', value: '0.5' }],
  ['/value', { name: 'collar_bp', value: '10001' }],
  ['/value', { name: 'duplicate_window_ms', value: '60001' }],
  ['/value', { name: 'size_by_volatility', value: '2' }],
  ['/value', { name: 'data_age_max_ms', value: '86400001' }],
] as const)(
  'a limit that would limit nothing or something else is refused at %s: %j',
  async (pointer, change) => {
    expect(await settle(put(change))).toMatchObject({
      code: 'request.body_invalid',
      errors: [{ pointer }],
    })
    expect(await store().list(everything)).toEqual([])
  },
)

test('a limit of an account that is not there is refused', async () => {
  expect(await settle(put({ key: 'none' }))).toMatchObject({ errors: [{ pointer: '/key' }] })
})

test('every limit can be set where it is looked for, up to its largest value', () => {
  const largest: Readonly<Record<string, string>> = {
    ...{ collar_bp: '10000', participation_bp: '10000', duplicate_window_ms: '60000' },
    ...{ size_by_volatility: '1', hold_when_halted: '1', data_age_max_ms: '86400000' },
  }
  for (const name of limitNames) {
    const where =
      name === 'exposure_max'
        ? ({ scope: 'firm', key: '' } as const)
        : ({ scope: 'account', key: 'mine' } as const)
    expect(limitFault({ ...where, name, value: largest[name] ?? '1000' })).toBeUndefined()
  }
})

test('a limit that is set holds for the orders it concerns', async () => {
  await put({ value: '2500.5' })
  const order = { account: 'mine', symbol: 'AAPL', strategy: undefined, sector: undefined }
  const [row] = await world.sql<{ value: string }[]>`select value::text from postern_limit`
  const limits = limitsFor([{ ...own, value: row?.value ?? '' }], order)
  expect(limits.notionalMax).toBe(2_500_500_000_000_000_000_000n)
})

test('each change is in the history and in the audit log, with what was there before', async () => {
  expect(await put({})).toEqual({ previous: undefined, value: '5' })
  expect(await put({ value: '7' }, callerNamed('bob'))).toEqual({ previous: '5', value: '7' })
  expect(await put({ value: undefined })).toEqual({ previous: '7', value: undefined })
  const { changes } = await store().changes({ ...everything, cursor: undefined })
  expect(changes.map(({ previous, value, changed_by }) => [previous, value, changed_by])).toEqual([
    ['7', null, 'https://issuer.example ann'],
    ['5', '7', 'https://issuer.example bob'],
    [null, '5', 'https://issuer.example ann'],
  ])
  const records = await recordsOf(world.sql, 'limit.changed')
  expect(records.map(({ details, actor }) => [details, actor?.sub])).toEqual([
    [{ previous: null, value: '5' }, 'ann'],
    [{ previous: '5', value: '7' }, 'bob'],
    [{ previous: '7', value: null }, 'ann'],
  ])
  expect(records[0]?.target).toBe('limit/account/mine/notional_max')
  expect(await store().list(everything)).toEqual([])
})

test('what is so already leaves neither history nor record', async () => {
  await put({})
  await put({ value: '5' })
  await put({ name: 'collar_bp', value: undefined })
  expect((await store().changes({ ...everything, cursor: undefined })).changes).toHaveLength(1)
  expect(await recordsOf(world.sql, 'limit.changed')).toHaveLength(1)
})

test('changes at once each know the one before', async () => {
  const values = ['1', '2', '3', '4', '5', '6']
  await Promise.all(values.map((value) => put({ value })))
  const { changes } = await store().changes({ ...everything, cursor: undefined })
  const oldestFirst = changes.toReversed()
  expect(oldestFirst.map(({ previous }) => previous)).toEqual([
    null,
    ...oldestFirst.slice(0, -1).map(({ value }) => value),
  ])
  expect(changes.map(({ value }) => value).sort()).toEqual(values)
})

test('limits and their changes are found by scope and key, page by page', async () => {
  await put({})
  await put({ scope: 'symbol', key: 'AAPL', name: 'position_max', value: '10' })
  await put({ scope: 'firm', key: '', name: 'exposure_max', value: '1000000' })
  const found = await store().list({ ...everything, scope: 'symbol' })
  expect(found).toMatchObject([{ key: 'AAPL', name: 'position_max', value: '10' }])
  expect(await store().list({ ...everything, key: 'none' })).toEqual([])
  const first = await store().changes({ ...everything, limit: 2, cursor: undefined })
  const second = await store().changes({ ...everything, limit: 2, cursor: first.next })
  const pages = [...first.changes, ...second.changes]
  expect(pages.map(({ scope }) => scope)).toEqual(['firm', 'symbol', 'account'])
  expect(second.next).toBeUndefined()
})
