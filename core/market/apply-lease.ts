import { setTimeout } from 'node:timers/promises'
import type { Sql } from 'postgres'
import { PosternError } from '../errors.ts'

/** Renewed at every step; a worker that died is followed after this long. */
const leaseSeconds = 15
/** Between two looks at a lease that another worker holds. */
const lookMs = 100
/** Looks before the job goes back to the queue: as long as a dead worker's lease, and a little. */
const looksMax = 180

/** Keeps two workers from applying the same symbol at once. */
export type SymbolLease = {
  /** Throws an outage when it is another's now: the job is put back and runs again. */
  renew(): Promise<void>
  release(): Promise<void>
}

/** Waits for another worker to end; throws an outage when it does not. */
export async function takeLease(
  sql: Sql,
  symbol: string,
  signal: AbortSignal,
): Promise<SymbolLease> {
  const name = `market/${symbol}`
  const holder = Bun.randomUUIDv7()
  for (let look = 0; !(await hold(sql, name, holder)); look += 1) {
    if (look >= looksMax) throw taken(symbol)
    await setTimeout(lookMs, undefined, { signal })
  }
  return {
    async renew() {
      if (!(await hold(sql, name, holder))) throw taken(symbol)
    },
    async release() {
      await sql`
        update postern_lease set until = 'epoch' where name = ${name} and holder = ${holder}`
    },
  }
}

async function hold(sql: Sql, name: string, holder: string): Promise<boolean> {
  const rows = await sql`
    insert into postern_lease as lease (name, holder, until)
    values (${name}, ${holder}, now() + make_interval(secs => ${leaseSeconds}))
    on conflict (name) do update set holder = excluded.holder, until = excluded.until
      where lease.holder = excluded.holder or lease.until < now()
    returning name`
  return rows.length > 0
}

function taken(symbol: string): PosternError {
  const reason = `another worker applies ${symbol}`
  return new PosternError('database.unavailable', { reason, retryAfterSeconds: 1 })
}
