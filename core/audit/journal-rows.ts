import type { Sql, TransactionSql } from 'postgres'
import type { StatementPart } from '../postgres/statement-part.ts'
import type { AuditJournal, JournalRow } from './journal.ts'
import type { AuditRecord } from './record.ts'

/** No record holds one: RFC 8785 escapes it. */
const separator = '\n'

/**
 * Rows as a `(rec, body)` subquery of a statement. One text split by lines: inside JSON every quote
 * of a record would be escaped here and unescaped there.
 */
export function journalRows(sql: Sql | TransactionSql, rows: readonly JournalRow[]) {
  const recs = rows.map((row) => row.rec)
  const bodies = rows.map((row) => row.body).join(separator)
  return sql`(
    select rec, convert_to(body, 'UTF8') as body
    from unnest(${recs}::uuid[], string_to_array(${bodies}, ${separator})) as lines(rec, body))`
}

/** Throws SQLSTATE PA001 when the server stored fewer rows than it was given. */
export async function insertJournalRows(
  sql: Sql | TransactionSql,
  rows: readonly JournalRow[],
): Promise<void> {
  await insertRecorded(sql, sql`with nothing as (select)`, rows)
}

/** The same in one statement with what is recorded: `parts` are its `with` queries. */
export function insertRecorded(
  sql: Sql | TransactionSql,
  parts: StatementPart,
  rows: readonly JournalRow[],
) {
  return sql`
    ${parts}, recorded as (
      insert into postern_audit_intake (rec, body)
      select rec, body from ${journalRows(sql, rows)} as r returning 1
    )
    select postern_recorded((select count(*) from recorded), ${rows.length}::bigint)`
}

/** A transaction with records: `record` inserts them, and their numbers are open until it ends. */
export function recordedTransaction<Result>(
  sql: Sql,
  journal: AuditJournal,
  run: (
    transaction: TransactionSql,
    record: (records: readonly AuditRecord[]) => Promise<void>,
  ) => Promise<Result>,
): Promise<Result> {
  return journal.within(async (number) => {
    let result: { readonly of: Result } | undefined
    await sql.begin(async (transaction) => {
      const record = (records: readonly AuditRecord[]) =>
        insertJournalRows(transaction, number(records))
      result = { of: await run(transaction, record) }
    })
    // postgres.js types a transaction's result as what an array of promises would become.
    if (result === undefined) throw new Error('invariant: a committed transaction has run')
    return result.of
  })
}
