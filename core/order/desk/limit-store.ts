import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { type Caller, subjectOf } from '../../access/principal.ts'
import type { AuditJournal } from '../../audit/journal.ts'
import { recordedTransaction } from '../../audit/journal-rows.ts'
import { callerRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { formatMoney, moneyOf } from '../amount.ts'
import { limitScopes } from '../limits.ts'
import { type LimitSetting, limitFault } from './limit-rules.ts'

const value = z.string().transform(moneyOf).transform(formatMoney).pipe(z.string())
const time = z
  .date()
  .transform((at) => at.toISOString())
  .pipe(z.string())

export const limitDocumentSchema = z.object({
  scope: z.enum(limitScopes),
  key: z.string(),
  name: z.string(),
  value,
  changed_by: z.string(),
  changed_at: time,
})
limitDocumentSchema.register(z.globalRegistry, { title: 'TradingLimit' })
export const limitChangeSchema = limitDocumentSchema.extend({
  id: z.string(),
  previous: value.nullable().meta({ description: 'null: the default' }),
  value: value.nullable().meta({ description: 'null: back to the default' }),
})
export type LimitDocument = z.infer<typeof limitDocumentSchema>
export type LimitChange = z.infer<typeof limitChangeSchema>

export type LimitFilter = {
  readonly scope: LimitSetting['scope'] | undefined
  readonly key: string | undefined
  readonly limit: number
}

export type LimitStore = {
  /**
   * Sets a limit or takes it back, with its history and audit record; what is so already leaves
   * neither. Throws `request.body_invalid`, `database.unavailable`.
   */
  put(
    setting: LimitSetting,
    caller: Caller,
  ): Promise<{ readonly previous: string | undefined; readonly value: string | undefined }>
  /** Those that differ from the defaults. */
  list(filter: LimitFilter): Promise<readonly LimitDocument[]>
  /** Newest first. */
  changes(
    filter: LimitFilter & { readonly cursor: string | undefined },
  ): Promise<{ readonly changes: readonly LimitChange[]; readonly next: string | undefined }>
}

type Deps = { readonly sql: Sql; readonly journal: AuditJournal; readonly now: () => Date }

export function limitStore(deps: Deps): LimitStore {
  return {
    put: (setting, caller) => putLimit(deps, setting, caller).catch(rethrowAsOutage),
    list: (filter) => listLimits(deps.sql, filter).catch(rethrowAsOutage),
    changes: (filter) => listChanges(deps.sql, filter).catch(rethrowAsOutage),
  }
}

async function putLimit({ sql, journal, now }: Deps, setting: LimitSetting, caller: Caller) {
  const fault = limitFault(setting)
  if (fault !== undefined) throw new PosternError('request.body_invalid', { errors: [fault] })
  return await recordedTransaction(sql, journal, async (transaction, record) => {
    const at = now()
    if (setting.scope === 'account') await refuseUnknown(transaction, setting.key)
    // A default has no row to lock. Orders still read their limits meanwhile.
    await transaction`lock table postern_limit in share row exclusive mode`
    const previous = await readValue(transaction, setting)
    if (previous === setting.value) return { previous, value: setting.value }
    const by = subjectOf(caller.principal)
    await storeLimit(transaction, setting, { previous, by, at })
    await record([
      callerRecord(caller, {
        id: Bun.randomUUIDv7(),
        type: 'limit.changed',
        at,
        target: `limit/${setting.scope}/${setting.key}/${setting.name}`,
        outcome: 'ok',
        details: { previous: previous ?? null, value: setting.value ?? null },
      }),
    ])
    return { previous, value: setting.value }
  })
}

async function refuseUnknown(sql: TransactionSql, account: string): Promise<void> {
  const [row] = await sql`select 1 from postern_account where id = ${account}`
  if (row !== undefined) return
  const errors = [{ pointer: '/key', detail: 'there is no account of this name' }]
  throw new PosternError('request.body_invalid', { errors })
}

async function readValue(
  sql: TransactionSql,
  { scope, key, name }: LimitSetting,
): Promise<string | undefined> {
  const [row] = await sql<{ value: string }[]>`
    select value::text from postern_limit
    where scope = ${scope} and key = ${key} and name = ${name}`
  return row === undefined ? undefined : formatMoney(moneyOf(row.value))
}

async function storeLimit(
  sql: TransactionSql,
  { scope, key, name, value: next }: LimitSetting,
  change: { readonly previous: string | undefined; readonly by: string; readonly at: Date },
): Promise<void> {
  const { previous, by, at } = change
  if (next === undefined) {
    await sql`
      delete from postern_limit where scope = ${scope} and key = ${key} and name = ${name}`
  } else {
    await sql`
      insert into postern_limit (scope, key, name, value, changed_by, changed_at)
      values (${scope}, ${key}, ${name}, ${next}, ${by}, ${at})
      on conflict (scope, key, name) do update set value = excluded.value,
        changed_by = excluded.changed_by, changed_at = excluded.changed_at`
  }
  await sql`
    insert into postern_limit_change (scope, key, name, previous, value, changed_by, changed_at)
    values (${scope}, ${key}, ${name}, ${previous ?? null}, ${next ?? null}, ${by}, ${at})`
}

function matching(sql: Sql, { scope, key }: Pick<LimitFilter, 'scope' | 'key'>) {
  return sql`${scope === undefined ? sql`true` : sql`scope = ${scope}`}
    ${key === undefined ? sql`` : sql`and key = ${key}`}`
}

async function listLimits(sql: Sql, filter: LimitFilter): Promise<readonly LimitDocument[]> {
  const rows = await sql`
    select scope, key, name, value::text, changed_by, changed_at from postern_limit
    where ${matching(sql, filter)} order by scope, key, name limit ${filter.limit}`
  return z.array(limitDocumentSchema).parse(rows)
}

async function listChanges(
  sql: Sql,
  filter: LimitFilter & { readonly cursor: string | undefined },
): Promise<{ readonly changes: readonly LimitChange[]; readonly next: string | undefined }> {
  const { limit, cursor } = filter
  const rows = await sql`
    select id::text, scope, key, name, previous::text, value::text, changed_by, changed_at
    from postern_limit_change
    where ${matching(sql, filter)} ${cursor === undefined ? sql`` : sql`and id < ${cursor}::bigint`}
    order by postern_limit_change.id desc limit ${limit + 1}`
  const changes = z.array(limitChangeSchema).parse(rows).slice(0, limit)
  return { changes, next: rows.length > limit ? changes.at(-1)?.id : undefined }
}
