import type { Sql } from 'postgres'
import { z } from 'zod'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { type Revoked, secretClasses } from './revocation.ts'

/** One of a secret that is in force and not known to be refused everywhere. */
export type PendingRevocation = Revoked & {
  readonly id: string
  readonly by: string
  /** By the database's clock, as are the times of rotations. */
  readonly inForceAt: Date
  readonly ageSeconds: number
}

const rowsSchema = z.array(
  z.object({
    id: z.string(),
    class: z.enum(secretClasses),
    issuer: z.string(),
    value: z.string(),
    by: z.string(),
    inForceAt: z.date(),
    ageSeconds: z.number(),
  }),
)

/** At a time; there are a handful. */
const pendingMax = 100

/** For who brings them about. All throw `database.unavailable`. */
export type PendingRevocations = {
  /** Oldest first. */
  list(): Promise<readonly PendingRevocation[]>
  /** Seconds since it came into force; undefined when somebody else has said so already. */
  settle(id: string): Promise<number | undefined>
  /** Why it is not effective yet. */
  note(id: string, error: string): Promise<void>
}

export function pendingRevocations(sql: Sql): PendingRevocations {
  return {
    async list() {
      return rowsSchema.parse(
        await sql`
          select id::text, class, issuer, value, coalesce(second_by, revoked_by) as by,
            in_force_at as "inForceAt",
            extract(epoch from now() - in_force_at)::float8 as "ageSeconds"
          from postern_revocation
          where effective_at is null and state = 'in_force' and class = any(${[...secretClasses]})
          order by postern_revocation.id limit ${pendingMax}`.catch(rethrowAsOutage),
      )
    },
    async settle(id) {
      const [row] = await sql<{ seconds: number }[]>`
        update postern_revocation set effective_at = clock_timestamp(), error = null
        where id = ${id}::bigint and effective_at is null and state = 'in_force'
        returning extract(epoch from effective_at - in_force_at)::float8 as seconds`.catch(
        rethrowAsOutage,
      )
      return row?.seconds
    },
    async note(id, error) {
      await sql`
        update postern_revocation set error = ${error}
        where id = ${id}::bigint and effective_at is null`.catch(rethrowAsOutage)
    },
  }
}
