import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { Caller } from '../../access/principal.ts'
import type { AuditJournal } from '../../audit/journal.ts'
import { recordedTransaction } from '../../audit/journal-rows.ts'
import { callerRecord } from '../../audit/record.ts'
import { type PointedError, PosternError } from '../../errors.ts'
import { invariant } from '../../invariant.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { formatMoney, moneyOf } from '../amount.ts'
import { type MarketClock, marketClocks } from './desk-view.ts'
import type { Trader } from './traded-accounts.ts'
import { readTraders, storeTraders } from './trader-rows.ts'

export const accountVenues = ['paper', 'alpaca'] as const

/** What an operator sets of an account. */
export type AccountSettings = {
  readonly venue: (typeof accountVenues)[number]
  readonly clock: MarketClock
  /** Decimal text. Given when the account is made, and never changed. */
  readonly startingCash: string | undefined
  readonly isShortAllowed: boolean
  readonly traders: readonly Trader[]
  /** How the paper venue treats it. */
  readonly paper: Readonly<Record<string, unknown>>
}

const money = z.string().transform(moneyOf).transform(formatMoney).pipe(z.string())
const time = z
  .date()
  .transform((at) => at.toISOString())
  .pipe(z.string())

const settingsSchema = z.object({
  id: z.string(),
  venue: z.string(),
  clock: z.enum(marketClocks),
  is_short_allowed: z.boolean(),
  paper: z.record(z.string(), z.unknown()),
  starting_cash: money,
})
export const accountSettingsSchema = settingsSchema.extend({
  cash: money,
  reserved: money,
  open_orders: z.int(),
  created_at: time,
  reconciled_at: time.nullable(),
  traders: z.array(z.object({ issuer: z.string(), subject: z.string() })),
})
export type AccountSettingsDocument = z.infer<typeof accountSettingsSchema>

export type AccountStore = {
  /**
   * Makes or changes an account, with its audit record. Throws `request.body_invalid` for what can
   * no longer be changed, `database.unavailable`.
   */
  put(
    id: string,
    settings: AccountSettings,
    caller: Caller,
  ): Promise<{ readonly isNew: boolean; readonly account: AccountSettingsDocument }>
  /** In the order of their ids. */
  list(page: { readonly limit: number; readonly cursor: string | undefined }): Promise<{
    readonly accounts: readonly AccountSettingsDocument[]
    readonly next: string | undefined
  }>
}

type Deps = { readonly sql: Sql; readonly journal: AuditJournal; readonly now: () => Date }

export function accountStore(deps: Deps): AccountStore {
  return {
    put: (id, settings, caller) =>
      putAccount(deps, { id, settings, caller }).catch(rethrowAsOutage),
    list: (page) => listAccounts(deps.sql, page).catch(rethrowAsOutage),
  }
}

type Put = { readonly id: string; readonly settings: AccountSettings; readonly caller: Caller }

async function putAccount({ sql, journal, now }: Deps, { id, settings, caller }: Put) {
  return await recordedTransaction(sql, journal, async (transaction, record) => {
    const at = now()
    const isNew = await insertAccount(transaction, { id, settings, at })
    const previous = isNew ? undefined : await changeAccount(transaction, id, settings)
    const traders = await storeTraders(transaction, id, settings.traders)
    await record([
      callerRecord(caller, {
        id: Bun.randomUUIDv7(),
        type: 'account.changed',
        at,
        target: `account/${id}`,
        outcome: 'ok',
        details: {
          venue: settings.venue,
          clock: settings.clock,
          isShortAllowed: settings.isShortAllowed,
          paper: settings.paper,
          ...(isNew ? { startingCash: settings.startingCash } : { previous }),
          tradersAdded: traders.added,
          tradersRemoved: traders.removed,
        },
      }),
    ])
    const [account] = await readAccounts(transaction, [id])
    invariant(account !== undefined, 'an account that was stored is there')
    return { isNew, account }
  })
}

/** False when there is one of this name. */
async function insertAccount(
  sql: TransactionSql,
  { id, settings, at }: Pick<Put, 'id' | 'settings'> & { readonly at: Date },
): Promise<boolean> {
  const { venue, clock, startingCash, isShortAllowed, paper } = settings
  if (startingCash === undefined) {
    const [known] = await sql`select 1 from postern_account where id = ${id}`
    if (known !== undefined) return false
    throw bodyInvalid('/starting_cash', 'missing: a new account begins with it')
  }
  const rows = await sql`
    insert into postern_account (id, venue, clock, starting_cash, cash, is_short_allowed, paper,
      created_at)
    values (${id}, ${venue}, ${clock}, ${startingCash}, ${startingCash}, ${isShortAllowed},
      ${JSON.stringify(paper)}::text::jsonb, ${at})
    on conflict do nothing returning 1`
  return rows.length === 1
}

/** What stood there before. */
async function changeAccount(sql: TransactionSql, id: string, settings: AccountSettings) {
  const rows = await sql`
    select id, venue, clock, is_short_allowed, paper, starting_cash::text
    from postern_account where id = ${id} for update`
  const [before] = z.array(settingsSchema).parse(rows)
  invariant(before !== undefined, 'an account is never deleted')
  await refuseFixed(sql, before, settings)
  const { venue, clock, isShortAllowed, paper } = settings
  await sql`
    update postern_account set venue = ${venue}, clock = ${clock},
      is_short_allowed = ${isShortAllowed}, paper = ${JSON.stringify(paper)}::text::jsonb
    where id = ${id}`
  return {
    venue: before.venue,
    clock: before.clock,
    isShortAllowed: before.is_short_allowed,
    paper: before.paper,
  }
}

/** Orders and fills belong to the venue and the clock they were made with. */
async function refuseFixed(
  sql: TransactionSql,
  before: z.infer<typeof settingsSchema>,
  { venue, clock, startingCash }: AccountSettings,
): Promise<void> {
  if (startingCash !== undefined && startingCash !== before.starting_cash) {
    throw bodyInvalid('/starting_cash', 'an account keeps what it began with')
  }
  if (venue === before.venue && clock === before.clock) return
  const [order] = await sql`select 1 from postern_order where account = ${before.id} limit 1`
  if (order === undefined) return
  const pointer = venue === before.venue ? '/clock' : '/venue'
  throw bodyInvalid(pointer, 'the account has had orders; make another account')
}

function bodyInvalid(pointer: string, detail: string): PosternError {
  const errors: readonly PointedError[] = [{ pointer, detail }]
  return new PosternError('request.body_invalid', { errors })
}

async function listAccounts(
  sql: Sql,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
) {
  const rows = await sql<{ id: string }[]>`
    select id from postern_account where id > ${cursor ?? ''} order by id limit ${limit + 1}`
  const ids = rows.slice(0, limit).map(({ id }) => id)
  const accounts = await readAccounts(sql, ids)
  return { accounts, next: rows.length > limit ? ids.at(-1) : undefined }
}

async function readAccounts(
  sql: Sql | TransactionSql,
  ids: readonly string[],
): Promise<readonly AccountSettingsDocument[]> {
  const [rows, traders] = await Promise.all([
    sql`
      select id, venue, clock, starting_cash::text, cash::text, reserved::text, open_orders,
        is_short_allowed, paper, created_at, reconciled_at
      from postern_account where id = any(${[...ids]}::text[]) order by id`,
    readTraders(sql, ids),
  ])
  return rows.map((row) =>
    accountSettingsSchema.parse({ ...row, traders: traders.get(String(row['id'])) ?? [] }),
  )
}
