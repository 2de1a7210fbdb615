// The order desk under fire: workers that kill themselves before and after every step, answers and
// reports that are lost, doubled and late, a crash of Postgres, two workers at once. Every accepted
// order that was sent must be one order at the venue, and cash and positions the fold of its fills.
//
//   bun test/fault/orders.ts [--orders 10000] [--seed 7]
import { parseArgs } from 'node:util'
import { killPoints } from './order-kill-plan.ts'
import { judge } from './orders-judge.ts'
import { startLoad } from './orders-load.ts'
import { faultMarket, symbols } from './orders-market.ts'
import { openOrdersStage } from './orders-stage.ts'
import { stepChecks } from './orders-steps.ts'
import { openTally } from './orders-tally.ts'
import { workerSlots } from './orders-workers.ts'
import { say } from './stage.ts'

/** A dead worker's jobs are taken up after 15 s, its leases too; a venue's silence costs seconds. */
const settleMsMax = 240_000
const settlePollMs = 1_000
/** Between two times that accounts are called due, which they would be every minute. */
const dueMs = 5_000
const warmMsMax = 60_000
const problemsShown = 60
/** So many orders meet every kind of fault. */
const everythingFrom = 2_000

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '7' },
  },
})
const orders = Number(values.orders)
const seed = Number(values.seed)
const startedAt = performance.now()
const tally = openTally()
say(`orders ${orders}, seed ${seed}`)
const stage = await openOrdersStage()
const { sql } = stage
const steps = stepChecks(sql, tally)
const ordersPerLife = Math.min(90, Math.max(20, Math.round(orders / 100)))
const onKilled = () => steps.check()
const workers = workerSlots(stage, { seed, ordersPerLife, tally, onKilled })
try {
  await main()
} finally {
  await stage.close()
}
report()
process.exit(tally.problems().length === 0 ? 0 : 1)

async function main(): Promise<void> {
  const market = faultMarket(stage, seed)
  const first = workers.open('all')
  await warm(market)
  await first.end()
  tell('the market is known')
  const trading = market.start()
  const load = startLoad(stage, { orders, seed, market, tally })
  const slots = [workers.open('market'), workers.open('orders')]
  await load.reached(orders * 0.3)
  slots.push(workers.open('orders'))
  tell('a second worker')
  await load.reached(orders * 0.5)
  await crashPostgres()
  await load.reached(orders * 0.7)
  await slots.pop()?.end()
  tell('one worker again')
  await load.done
  await trading.stop()
  tell(`${load.answered.size} orders answered, ${market.bars()} bars`)
  for (const slot of slots) await slot.end()
  workers.open('all')
  await market.close()
  await settle()
  await steps.idle()
  await judge({ sql, tally, answered: load.answered, resent: workers.resent() })
}

async function warm(market: ReturnType<typeof faultMarket>): Promise<void> {
  await market.advance()
  await until('the first bars are applied', warmMsMax, async () => {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::integer as count from postern_instrument
      where statistics ->> 'meanBarVolume' is not null`
    return row?.count === symbols.length
  })
}

async function crashPostgres(): Promise<void> {
  workers.excuse(true)
  await stage.postgres.stop('immediate')
  await stage.postgres.start()
  tally.count('crashes of Postgres')
  tell('Postgres crashed and is back')
  // A worker that was starting meanwhile may still find out.
  setTimeout(() => workers.excuse(false), 10_000).unref()
}

/** No job, no report and no order is under way any more; what was lost has been found. */
async function settle(): Promise<void> {
  let dueAt = 0
  const isSettled = async () => {
    if (performance.now() >= dueAt) {
      dueAt = performance.now() + dueMs
      await sql`update postern_account set reconciled_at = null`
    }
    const { left, ...counts } = await readUnsettled()
    tally.count('looks while settling')
    if (left > 0) lastSeen = JSON.stringify(counts)
    return left === 0
  }
  let lastSeen = ''
  await until('everything is settled', settleMsMax, isSettled).catch(() => {
    tally.problem(`not settled after ${settleMsMax} ms: ${lastSeen}`)
  })
  tell('settled')
}

async function readUnsettled() {
  const [row] = await sql<
    { jobs: number; outbox: number; orders: number; fills: number; ends: number }[]
  >`
    select (select count(*)::integer from postern_job where finished_at is null) as jobs,
      (select count(*)::integer from postern_outbox) as outbox,
      (select count(*)::integer from postern_order where is_open
        and status in ('accepted', 'held', 'pending_new', 'pending_cancel', 'pending_replace'))
        as orders,
      (select count(*)::integer from postern_paper_report where body ->> 'type' = 'trade')
        - (select count(*)::integer from postern_fill) as fills,
      (select count(*)::integer from postern_paper_order p left join postern_order o
        on o.account = p.account and o.client_order_id = p.client_order_id
        where o.status is distinct from p.status) as ends`
  const counts = row ?? { jobs: 1, outbox: 0, orders: 0, fills: 0, ends: 0 }
  const left = Object.values(counts).reduce((sum, count) => sum + Math.abs(count), 0)
  return { ...counts, left }
}

async function until(what: string, msMax: number, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + msMax
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${msMax} ms: ${what}`)
    await Bun.sleep(settlePollMs)
  }
}

function report(): void {
  const kills = killPoints.map((point): [string, number] => [
    `killed ${point}`,
    tally.of(`killed ${point}`),
  ])
  const faults: [string, number][] = [
    ['acknowledgements lost', tally.of('told lost-ack')],
    ['submits lost', tally.of('told lost-submit')],
    ['reports told again', tally.of('told report-again')],
    ['looked up and found', tally.of('told look-up-found')],
  ]
  const isEverything = orders >= everythingFrom
  for (const [name, count] of isEverything ? [...kills, ...faults] : []) {
    if (count === 0) tally.problem(`nothing was shown: ${name} 0`)
  }
  if (kills.every(([, count]) => count === 0)) tally.problem('no worker was killed')
  const own = (names: readonly string[]) =>
    names.map((name): [string, number] => [name, tally.of(name)])
  say('')
  tally.print([
    ...own(['answered accepted', 'answered denied']),
    ...tally.beginning('denied '),
    ...own(['successors']),
    ...tally.beginning('order '),
    ...own(['orders sent', 'venue orders', 'fills', 'trades of the venue']),
    ...kills,
    ...own(['worker lives', 'crashes of Postgres']),
    ...faults,
    ['sent again, overtaken', tally.of('told overtaken')],
    ...own(['fills replayed', 'mismatches healed', 'mismatches left', 'quarantined']),
    ...tally.beginning('quarantined '),
    ...own(['steps checked', 'orders checked in steps', 'steps without a database']),
    ...tally.beginning('told '),
    ...tally.beginning('cancel '),
    ...tally.beginning('replace '),
    ...tally.beginning('asked again'),
    ...tally.beginning('log '),
  ])
  const problems = tally.problems()
  for (const problem of problems.slice(0, problemsShown)) say(`VIOLATED: ${problem}`)
  const { length } = problems
  tell(length === 0 ? 'Every promise held.' : `${length} promises broken.`)
}

function tell(what: string): void {
  say(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s  ${what}`)
}
