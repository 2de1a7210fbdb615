import type { Sql } from 'postgres'
import { rethrowAsOutage } from '../../postgres/outage.ts'

/** Every account there is, of all venues. */
export async function accountIds(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from postern_account order by id`.catch(rethrowAsOutage)
  return rows.map(({ id }) => id)
}
