import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { z } from 'zod'
import { developmentIssuer } from '#core/access/access-file.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort } from '#test/support/server-process.ts'
import { collectorEnvironment } from '../../commands/collector.ts'
import { benchAccess } from './bench-access.ts'
import { untilAnswered } from './http-load.ts'
import { startProcess } from './side-process.ts'

export const stageSymbols = ['SPX', 'AAA', 'BBB', 'CCC', 'DDD', 'EEE', 'FFF', 'GGG']

/** What a desk measured at its limits must not be stopped by. */
const wideLimits = {
  notional_per_minute_max: 1e12,
  duplicate_window_ms: 0,
  open_orders_max: 1e6,
  position_max: 1e8,
  messages_per_second: 1e6,
  size_by_volatility: 0,
}

/** `serve` and `work` on servers of their own, with accounts `bench-0` … and bars to trade on. */
export async function openOrderStage(options: {
  readonly accounts: number
  readonly limits?: Partial<typeof wideLimits>
}) {
  const [server, redis] = await Promise.all([
    // The commit's own time is the only honest end of a measurement.
    startPostgres({ settings: ['track_commit_timestamp=on'] }),
    startRedis(),
  ])
  const sql = postgres(server.url, { max: 4, onnotice: () => undefined })
  await migrate({ sql, queue: 'redis' })
  const access = await benchAccess()
  const [port, probePort] = await Promise.all([freePort(), freePort()])
  for (let index = 0; index < options.accounts; index++) {
    await openAccount(sql, `bench-${index}`, options.limits ?? {})
  }
  const file = join(access.folder, 'access.json')
  await writeFile(file, JSON.stringify(access.document))
  const environment = {
    ...collectorEnvironment,
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'error',
    POSTERN_DATABASE_URL: server.url,
    POSTERN_REDIS_URL: redis.url,
    POSTERN_ACCESS_FILE: file,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(port),
    POSTERN_PROBE_PORT: String(probePort),
  }
  const main = join(import.meta.dir, '../../main.ts')
  const gateway = startProcess([process.execPath, main, 'serve'], { environment })
  const worker = startProcess([process.execPath, main, 'work'], { environment })
  const url = `http://127.0.0.1:${port}`
  await untilAnswered(`${url}/healthz`)
  await ingestBars(url, access.token)
  return {
    ...{ sql, url, token: access.token, server, redis, gateway, worker },
    async close() {
      await Promise.all([gateway.stop('SIGKILL'), worker.stop('SIGKILL')])
      await sql.end()
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

export type OrderStage = Awaited<ReturnType<typeof openOrderStage>>

/** On the paper venue, without the limits that a desk under measurement must not meet. */
export async function openAccount(
  sql: Sql,
  id: string,
  limits: Partial<typeof wideLimits>,
): Promise<void> {
  await sql`insert into postern_account (id, venue, clock, starting_cash, cash)
    values (${id}, 'paper', 'replay', 1e12, 1e12)`
  await sql`insert into postern_account_trader (account, issuer, subject)
    values (${id}, ${developmentIssuer}, 'bench')`
  for (const [name, value] of Object.entries({ ...wideLimits, ...limits })) {
    await sql`insert into postern_limit (scope, key, name, value, changed_by)
      values ('account', ${id}, ${name}, ${value}, 'bench')`
  }
}

/** A month of day bars; the fourth of July is a holiday. */
export async function ingestBars(url: string, token: string): Promise<void> {
  const days = Array.from({ length: 30 }, (_, day) => `2024-07-${String(day + 1).padStart(2, '0')}`)
  const open = days.filter((day) => {
    const weekday = new Date(`${day}T12:00:00Z`).getUTCDay()
    return weekday > 0 && weekday < 6 && day !== '2024-07-04'
  })
  const rows = stageSymbols.flatMap((symbol) =>
    open.map((date, day) => `${symbol},${date},100,101,99,${100 + (day % 3) * 0.25},50000000`),
  )
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}/v1/market-data`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'text/csv' },
    body: ['symbol,date,open,high,low,close,volume', ...rows].join('\n'),
  })
  if (!answer.ok) throw new Error(`bars were refused: ${await answer.text()}`)
  const last = stageSymbols.at(-1) ?? ''
  const giveUpAt = performance.now() + 30_000
  for (;;) {
    const signal = await fetch(`${url}/v1/signals/latest?symbol=${last}&strategy=momentum`, {
      headers,
    })
    if (z.object({ time: z.string() }).safeParse(await signal.json()).success) return
    if (performance.now() > giveUpAt) throw new Error('the bars were never applied')
    await Bun.sleep(50)
  }
}
