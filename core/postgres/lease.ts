import type { Sql } from 'postgres'

/** Work that one process does for all, until it lets the lease end. */
export type Lease = {
  readonly name: string
  /** UUID of whoever asks. */
  readonly holder: string
  readonly seconds: number
}

/** Leases reach no further; one that does was taken before the clock was set back. */
const aheadMax = 2

/** Takes a lease or keeps it; false while another holds it. */
export async function holdLease(sql: Sql, { name, holder, seconds }: Lease): Promise<boolean> {
  const rows = await sql`
    insert into postern_lease as lease (name, holder, until)
    values (${name}, ${holder}, now() + make_interval(secs => ${seconds}))
    on conflict (name) do update set holder = excluded.holder, until = excluded.until
      where lease.holder = excluded.holder or lease.until < now()
        or lease.until > now() + make_interval(secs => ${aheadMax * seconds})
    returning name`
  return rows.length > 0
}
