import type { TransactionSql } from 'postgres'
import { z } from 'zod'

const numbered = z.object({ replica: z.string().min(1), epoch: z.int().nonnegative() })

/**
 * A restored database has forgotten starts that the log knows. Processes must not count them again:
 * two starts under one number would look like records written twice.
 */
export async function raiseEpochs(
  sql: TransactionSql,
  bodies: readonly Uint8Array[],
): Promise<void> {
  const newest = new Map<string, number>()
  for (const body of bodies) {
    const read = numbered.safeParse(parseJson(body))
    if (!read.success) continue
    const { replica, epoch } = read.data
    newest.set(replica, Math.max(epoch, newest.get(replica) ?? 0))
  }
  const starts = Array.from(newest, ([name, epoch]) => ({ name, epoch }))
  await sql`
    insert into postern_replica as known (name, epoch)
    select name, epoch
    from jsonb_to_recordset(${JSON.stringify(starts)}::text::jsonb) as r(name text, epoch bigint)
    on conflict (name) do update set epoch = greatest(known.epoch, excluded.epoch)`
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}
