import { readdirSync, readFileSync } from 'node:fs'
import postgres, { type Sql } from 'postgres'
import { type Figure, note, printFigures, quantile } from './figures.ts'
import { type OrderStage, openOrderStage, stageSymbols } from './order-stage.ts'

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
/** A third of the rate, while both processes compile what is hot. */
const warmUpSeconds = option('warm-up', 20)
const warmUpRate = rate / 3
const warmUpOrders = Math.floor(warmUpRate * warmUpSeconds)

async function orderFigures(): Promise<Figure[]> {
  const stage = await openOrderStage({ accounts })
  const { sql, gateway, worker } = stage
  note(`orders, ${rate}/s for ${seconds} s over ${accounts} accounts`)
  const pids = { gateway: gateway.pid, worker: worker.pid, postgres: stage.server.pid }
  let before: Readonly<Record<string, number>> = {}
  const refused = await sendAtFixedRate(stage, () => {
    before = cpuOf(pids)
  })
  const measured = await measure(sql)
  const after = cpuOf(pids)
  note(
    `accepted ${measured.accepted}, denied ${measured.denied}, refused ${refused}, filled ${measured.filled}; ${shown(measured)}`,
  )
  const cpu = Object.keys(pids).map((name) => {
    const spentMs = (after[name] ?? 0) - (before[name] ?? 0)
    return `${name} ${((spentMs * 1_000) / (rate * seconds)).toFixed(0)} µs`
  })
  note(`CPU of an order: ${cpu.join(', ')}`)
  const baseline = await bareDesk(sql, stage.server.url)
  await stage.close()
  const name = `orders at ${rate}/s for ${seconds} s`
  const ratio = measured.perSecond / baseline
  const bare = { name: 'bare transaction an order, as fast as it goes', value: baseline, ratio }
  const latency = (which: 'p50' | 'p99'): Figure => ({
    ...{ name: `${name}, request to position, ${which}`, unit: 'ms', ours: measured[which] },
    ...{ baseline: undefined, required: { valueMax: 150 } },
  })
  return [
    {
      ...{ name: `${name}, filled`, unit: '/s', ours: measured.perSecond, baseline: bare },
      required: { valueMin: rate * 0.99 },
    },
    latency('p50'),
    latency('p99'),
  ]
}

function shown({ p50, p99, max }: { p50: number; p99: number; max: number }): string {
  return `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms`
}

/** Milliseconds so far, by the kernel's hundred ticks a second; of a server with all its processes. */
function cpuOf(pids: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const ticks = new Map<string, number>()
  const parents = new Map<string, string>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statOf(pid)
    ticks.set(pid, Number(fields[11]) + Number(fields[12]))
    parents.set(pid, fields[1] ?? '')
  }
  const sum = (root: string) =>
    [...ticks].reduce(
      (total, [pid, own]) => (pid === root || parents.get(pid) === root ? total + own : total),
      0,
    )
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => [name, sum(String(pid)) * 10]),
  )
}

/** A process that has just ended has none. */
function statOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  } catch {
    return []
  }
}

/** Milliseconds from the start until an order is due. */
function dueMs(index: number): number {
  if (index < warmUpOrders) return (index * 1_000) / warmUpRate
  return (warmUpSeconds + (index - warmUpOrders) / rate) * 1_000
}

/** Returns how many were refused. */
async function sendAtFixedRate({ url, token }: OrderStage, onWarm: () => void): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const orders = warmUpOrders + rate * seconds
  const answers: Promise<void>[] = []
  let refused = 0
  const startedAt = performance.now()
  while (answers.length < orders) {
    while (answers.length < orders && dueMs(answers.length) <= performance.now() - startedAt) {
      const index = answers.length
      if (index === warmUpOrders) onWarm()
      answers.push(post(index, performance.timeOrigin + startedAt + dueMs(index)))
    }
    await Bun.sleep(1)
  }
  await Promise.all(answers)
  return refused

  async function post(index: number, dueAt: number): Promise<void> {
    const body = JSON.stringify({
      account: `bench-${index % accounts}`,
      client_order_id: `${index}-${dueAt}`,
      symbol: stageSymbols[index % stageSymbols.length],
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
  const waited: number[] = []
  let lastAt = 0
  let firstAt = Number.POSITIVE_INFINITY
  for (const { client, at } of rows) {
    const [index = '', dueAt = ''] = client.split('-')
    if (at === null || Number(index) < warmUpOrders) continue
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
async function bareDesk(sql: Sql, url: string): Promise<number> {
  await sql`create table bare_order (id integer primary key, quantity numeric)`
  await sql`create table bare_position (symbol text primary key, quantity numeric, cash numeric)`
  await sql`insert into bare_position select 'S' || n, 0, 0 from generate_series(0, 63) n`
  const pool = postgres(url, { max: 16 })
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

if (import.meta.main) process.exit(printFigures(await orderFigures()) ? 0 : 1)
