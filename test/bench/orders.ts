import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { developmentIssuer } from '#core/access/access-file.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort } from '#test/support/server-process.ts'
import { collectorEnvironment } from '../../commands/collector.ts'
import { benchAccess } from './bench-access.ts'
import { type Figure, note, printFigures, quantile } from './figures.ts'
import { untilAnswered } from './http-load.ts'
import { startProcess } from './side-process.ts'

/**
 * Orders end to end on the paper venue, at a fixed rate that does not slow down when the answers
 * do: from when a request was due to the commit that holds its fill and its position.
 *
 *   bun test/bench/orders.ts [--rate 1500] [--seconds 20] [--accounts 4] [--json]
 */
const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const rate = option('rate', 1_500)
const seconds = option('seconds', 20)
const accounts = option('accounts', 4)
const warmUpSeconds = 5
const symbols = ['SPX', 'AAA', 'BBB', 'CCC', 'DDD', 'EEE', 'FFF', 'GGG']

export async function orderFigures(): Promise<Figure[]> {
  const [server, redis] = await Promise.all([
    // The commit's own time is the only honest end of the measurement.
    startPostgres({ settings: ['track_commit_timestamp=on'] }),
    startRedis(),
  ])
  const sql = postgres(server.url, { max: 4, onnotice: () => undefined })
  await migrate({ sql, queue: 'redis' })
  const access = await benchAccess()
  const [port, probePort] = await Promise.all([freePort(), freePort()])
  await openAccounts(sql)
  const file = join(access.folder, 'access.json')
  await writeFile(file, JSON.stringify(access.document))
  const environment = {
    ...collectorEnvironment,
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: process.env['BENCH_LOG'] ?? 'warn',
    POSTERN_DATABASE_URL: server.url,
    POSTERN_REDIS_URL: redis.url,
    POSTERN_ACCESS_FILE: file,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(port),
    POSTERN_PROBE_PORT: String(probePort),
  }
  const main = join(import.meta.dir, '../../main.ts')
  const gateway = startProcess(['sh', '-c', 'exec "$0" "$1" serve >/tmp/bench-serve.log 2>&1', process.execPath, main], { environment })
  const worker = startProcess(['sh', '-c', 'exec "$0" "$1" work >/tmp/bench-work.log 2>&1', process.execPath, main], { environment })
  const url = `http://127.0.0.1:${port}`
  await untilAnswered(`${url}/healthz`)
  await ingestBars(url, access.token)
  note(`orders, ${rate}/s for ${seconds} s over ${accounts} accounts`)
  const refused = await sendAtFixedRate(url, access.token)
  const measured = await measure(sql)
  note(
    `accepted ${measured.accepted}, denied ${measured.denied}, refused ${refused}, filled ${measured.filled}; ${shown(measured)}`,
  )
  const cpu = Object.entries({ gateway: gateway.pid, worker: worker.pid })
  note(cpu.map(([name, pid]) => `${name} ${cpuMsOf(pid, measured.accepted)} µs an order`).join(', '))
  const baseline = await bareDesk(sql)
  await Promise.all([gateway.stop('SIGKILL'), worker.stop('SIGKILL')])
  await sql.end()
  await redis.stop('SIGKILL')
  await server.stop('immediate')
  const name = `orders at ${rate}/s for ${seconds} s`
  return [
    {
      ...{ name: `${name}, filled`, unit: '/s', ours: measured.perSecond },
      baseline: {
        name: 'bare transaction an order, as fast as it goes',
        value: baseline,
        ratio: measured.perSecond / baseline,
      },
      required: { valueMin: rate * 0.99 },
    },
    {
      ...{ name: `${name}, request to position, p50`, unit: 'ms', ours: measured.p50 },
      ...{ baseline: undefined, required: { valueMax: 150 } },
    },
    {
      ...{ name: `${name}, request to position, p99`, unit: 'ms', ours: measured.p99 },
      ...{ baseline: undefined, required: { valueMax: 150 } },
    },
  ]
}

/** Of a process so far, by the kernel's hundred ticks a second. */
function cpuMsOf(pid: number, orders: number): string {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticks = Number(fields[11]) + Number(fields[12])
  return ((ticks * 10_000) / orders).toFixed(0)
}

function shown({ p50, p99, max }: { p50: number; p99: number; max: number }): string {
  return `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms`
}

async function openAccounts(sql: Sql): Promise<void> {
  for (let index = 0; index < accounts; index++) {
    const id = `bench-${index}`
    await sql`insert into postern_account (id, venue, clock, starting_cash, cash)
      values (${id}, 'paper', 'replay', 1e12, 1e12)`
    await sql`insert into postern_account_trader (account, issuer, subject)
      values (${id}, ${developmentIssuer}, 'bench')`
    const limits = {
      notional_per_minute_max: 1e12,
      duplicate_window_ms: 0,
      open_orders_max: 1e6,
      position_max: 1e8,
      messages_per_second: 1e6,
      size_by_volatility: 0,
    }
    for (const [name, value] of Object.entries(limits)) {
      await sql`insert into postern_limit (scope, key, name, value, changed_by)
        values ('account', ${id}, ${name}, ${value}, 'bench')`
    }
  }
}

async function ingestBars(url: string, token: string): Promise<void> {
  const days = Array.from({ length: 30 }, (_, day) => `2024-07-${String(day + 1).padStart(2, '0')}`)
  // The fourth is a holiday.
  const open = days.filter((day) => {
    const weekday = new Date(`${day}T12:00:00Z`).getUTCDay()
    return weekday > 0 && weekday < 6 && day !== '2024-07-04'
  })
  const rows = symbols.flatMap((symbol) =>
    open.map((date, day) => `${symbol},${date},100,101,99,${100 + (day % 3) * 0.25},50000000`),
  )
  const answer = await fetch(`${url}/v1/market-data`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
    body: ['symbol,date,open,high,low,close,volume', ...rows].join('\n'),
  })
  if (!answer.ok) throw new Error(`bars were refused: ${await answer.text()}`)
  await Bun.sleep(2_000)
}

/** Returns how many were refused. */
async function sendAtFixedRate(url: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const orders = rate * (warmUpSeconds + seconds)
  const answers: Promise<void>[] = []
  let refused = 0
  const startedAt = performance.now()
  while (answers.length < orders) {
    const due = Math.min(orders, ((performance.now() - startedAt) * rate) / 1_000)
    while (answers.length < due) {
      const index = answers.length
      const dueAt = performance.timeOrigin + startedAt + (index * 1_000) / rate
      answers.push(post(index, dueAt))
    }
    await Bun.sleep(1)
  }
  await Promise.all(answers)
  return refused

  async function post(index: number, dueAt: number): Promise<void> {
    const body = JSON.stringify({
      account: `bench-${index % accounts}`,
      client_order_id: `${index}-${dueAt}`,
      symbol: symbols[index % symbols.length],
      side: 'buy',
      quantity: String(1 + (index % 7)),
      order_type: 'market',
    })
    const answer = await fetch(`${url}/v1/orders`, { method: 'POST', headers, body })
    const text = await answer.text()
    if (answer.status === 201) return
    if (refused === 0) note(`refused: ${text}`)
    refused += 1
  }
}

/** The venue fills a tenth of the orders in part, until its market moves; their first fill counts. */
async function measure(sql: Sql) {
  const giveUpAt = performance.now() + 60_000
  for (;;) {
    const [row] = await sql<{ open: number }[]>`
      select count(*)::integer as open from postern_order
      where is_open and status <> 'partially_filled'`
    if (row?.open === 0) break
    if (performance.now() > giveUpAt) throw new Error(`${row?.open} orders never ended`)
    await Bun.sleep(100)
  }
  const statuses = await sql<{ status: string; count: number }[]>`
    select status || coalesce(' ' || reject_code, '') as status, count(*)::integer as count
    from postern_order group by 1`
  note(statuses.map(({ status, count }) => `${count} ${status}`).join(', '))
  const rows = await sql<{ client: string; status: string; at: Date | null }[]>`
    select o.client_order_id as client, o.status,
      (select min(pg_xact_commit_timestamp(f.xmin)) from postern_fill f where f.order_id = o.id)
        as at
    from postern_order o`
  const from = rate * warmUpSeconds
  const waited: number[] = []
  let lastAt = 0
  let firstAt = Number.POSITIVE_INFINITY
  for (const { client, at } of rows) {
    const [index = '', dueAt = ''] = client.split('-')
    if (at === null || Number(index) < from) continue
    waited.push(at.getTime() - Number(dueAt))
    lastAt = Math.max(lastAt, at.getTime())
    firstAt = Math.min(firstAt, Number(dueAt))
  }
  return {
    accepted: rows.length,
    denied: rows.filter(({ status }) => status === 'denied').length,
    filled: rows.filter(({ at }) => at !== null).length,
    perSecond: (waited.length * 1_000) / (lastAt - firstAt),
    p50: quantile(waited, 0.5),
    p99: quantile(waited, 0.99),
    max: Math.max(...waited),
  }
}

/** What a desk without checks, log, venue and queue could do: four writes, one commit an order. */
async function bareDesk(sql: Sql): Promise<number> {
  await sql`create table bare_order (id integer primary key, quantity numeric)`
  await sql`create table bare_position (symbol text primary key, quantity numeric, cash numeric)`
  await sql`insert into bare_position select 'S' || n, 0, 0 from generate_series(0, 63) n`
  const pool = postgres(sql.options.host.length > 0 ? urlOf(sql) : '', { max: 16 })
  const until = performance.now() + 5_000
  let done = 0
  const worker = async () => {
    while (performance.now() < until) {
      const id = done++
      await pool.begin(async (transaction) => {
        await transaction`insert into bare_order values (${id}, 1)`
        await transaction`update bare_position set quantity = quantity + 1, cash = cash - 100
          where symbol = ${`S${id % 64}`}`
      })
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: 16 }, worker))
  const perSecond = (done * 1_000) / (performance.now() - startedAt)
  await pool.end()
  return perSecond
}

function urlOf(sql: Sql): string {
  const { host, port, database, user } = sql.options
  return `postgres://${user}@${host[0]}:${port[0]}/${database}`
}

if (import.meta.main) process.exit(printFigures(await orderFigures()) ? 0 : 1)
