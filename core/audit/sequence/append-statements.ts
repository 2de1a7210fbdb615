import type { Sql, TransactionSql } from 'postgres'
import type { Description, IntakeRow, LogGrowth, LostEntries, SignedTree } from './log-database.ts'

/** Seconds after which another process may lead when the leader is silent; failing over takes it. */
export const leaseSeconds = 5
/** Separates values in a text that Postgres splits: no description holds a control character. */
const separator = '\x1f'

/** Thrown inside a transaction to roll it back. */
export class Superseded extends Error {}

/** Last of all, and after the commit before: the rest of the transaction need not wait for it. */
export async function advanceHead(
  transaction: TransactionSql,
  growth: LogGrowth | LostEntries,
): Promise<void> {
  const { epoch, oldSize, oldRoot, entries, frontier, root } = growth
  const { count } = await transaction`
    update postern_audit_head set size = ${oldSize + entries.length}, root = ${root},
      frontier = ${joined(frontier)},
      led_until = now() + make_interval(secs => ${leaseSeconds})
    where size = ${oldSize} and root = ${oldRoot} and epoch = ${epoch} and frozen_at is null`
  refuseOthers(count, 1)
}

/** Takes the rows out of the intake and gives them their indexes, in the order given. */
export async function moveEntries(
  transaction: TransactionSql,
  { oldSize, entries }: LogGrowth,
): Promise<void> {
  const { ts, type, subject, requestId } = columnsOf(entries)
  const { count } = await transaction`
    with placed as materialized (
      select * from unnest(
        string_to_array(${idList(entries)}, ',')::bigint[],
        string_to_array(${ts}, ',', '')::double precision[],
        string_to_array(${type}, ${separator}, ''), string_to_array(${subject}, ${separator}, ''),
        string_to_array(${requestId}, ${separator}, '')
      ) with ordinality as placed (id, ts, type, subject, request_id, n)
    ), taken as (
      delete from postern_audit_intake where id = any(array(select id from placed))
      returning id, rec, body
    )
    insert into postern_audit_entry (idx, rec, body, ts, type, subject, request_id)
    select ${oldSize}::bigint + n - 1, rec, body, to_timestamp(ts / 1000), type, subject, request_id
    from placed join taken using (id)`
  refuseOthers(count, entries.length)
}

export async function storeTree(transaction: TransactionSql, tree: SignedTree): Promise<void> {
  await transaction`
    insert into postern_audit_checkpoint (size, root, note)
    values (${tree.size}, ${tree.root}, ${tree.note})`
}

export async function drop(transaction: TransactionSql, rows: readonly IntakeRow[]): Promise<void> {
  if (rows.length === 0) return
  const { count } = await transaction`
    delete from postern_audit_intake
    where id = any(string_to_array(${idList(rows)}, ',')::bigint[])`
  refuseOthers(count, rows.length)
}

export async function moveAside(
  transaction: TransactionSql,
  rows: readonly IntakeRow[],
): Promise<void> {
  if (rows.length === 0) return
  const { count } = await transaction`
    with taken as (
      delete from postern_audit_intake
      where id = any(string_to_array(${idList(rows)}, ',')::bigint[]) returning rec, body
    )
    insert into postern_audit_aside (rec, body) select rec, body from taken`
  refuseOthers(count, rows.length)
}

/** A row that is gone was taken by another leader. */
function refuseOthers(count: number, expected: number): void {
  if (count !== expected) throw new Superseded()
}

function idList(rows: readonly IntakeRow[]): string {
  return rows.map((row) => row.id).join(',')
}

function columnsOf(entries: readonly { readonly description: Description }[]) {
  const column = (name: 'type' | 'subject' | 'requestId') =>
    entries.map(({ description }) => description[name] ?? '').join(separator)
  return {
    ts: entries.map(({ description }) => description.atMs ?? '').join(','),
    type: column('type'),
    subject: column('subject'),
    requestId: column('requestId'),
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

/** Entries that come from outside, with their bytes, instead of the intake. */
export async function restore(sql: Sql, lost: LostEntries): Promise<boolean> {
  const { entries, tree, oldSize } = lost
  const { ts, type, subject, requestId } = columnsOf(entries)
  const recs = entries.map((entry) => entry.rec).join(',')
  const lengths = entries.map((entry) => entry.body.length).join(',')
  const bodies = joined(entries.map((entry) => entry.body))
  try {
    await sql.begin(async (transaction) => {
      await advanceHead(transaction, lost)
      await transaction`
        insert into postern_audit_entry (idx, rec, body, ts, type, subject, request_id)
        select ${oldSize}::bigint + n - 1, rec,
          substring(${bodies}::bytea from (ends - length + 1)::integer for length),
          to_timestamp(ts / 1000), type, subject, request_id
        from (
          select *, sum(length) over (order by n) as ends from unnest(
            string_to_array(${recs}, ',')::uuid[], string_to_array(${lengths}, ',')::integer[],
            string_to_array(${ts}, ',', '')::double precision[],
            string_to_array(${type}, ${separator}, ''), string_to_array(${subject}, ${separator}, ''),
            string_to_array(${requestId}, ${separator}, '')
          ) with ordinality as described (rec, length, ts, type, subject, request_id, n)
        ) as placed`
      if (tree !== undefined) await storeTree(transaction, tree)
    })
    return true
  } catch (error) {
    if (error instanceof Superseded) return false
    throw error
  }
}
