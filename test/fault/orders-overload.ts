// Five times what the desk sustains, for some seconds: what it cannot take it refuses with 429 or
// 503 and Retry-After, cancels pass all the while, and nothing that it accepted is lost.
//
//   bun test/fault/orders-overload.ts [--rate 7500] [--seconds 5]
import { z } from 'zod'
import { type OrderStage, openOrderStage, stageSymbols } from '../bench/order-stage.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const rate = option('rate', 7_500)
const seconds = option('seconds', 5)
const accounts = 4
const resting = 200
/** A caller's own patience; above it the desk would have hung instead of refusing. */
const answerMsMax = 30_000
const placed = z.object({ id: z.uuid(), status: z.string() })

const floodSchema = z.object({
  accepted: z.array(z.string()),
  refused: z.array(z.tuple([z.number(), z.number()])),
  retryless: z.number(),
  failed: z.number(),
  slowestMs: z.number(),
})

// The flood has a process of its own: its connections and its turn are not those of the cancels.
const [, , role = '', url = '', token = ''] = process.argv
if (role === 'flood') {
  process.stdout.write(`${JSON.stringify(await sendFlood({ url, token }))}\n`)
  process.exit(0)
}

const problems: string[] = []
const stage = await openOrderStage({ accounts })
try {
  const targets = await placeResting(stage)
  const [flood, cancels] = await Promise.all([floodFrom(stage), cancelAll(stage, targets)])
  await judge(stage, flood)
  const { accepted, refused, retryless, failed, slowestMs } = flood
  say(
    `offered ${rate}/s for ${seconds} s: ${accepted.length} accepted, ${refused.map(([status, count]) => `${count} × ${status}`).join(', ') || 'none refused'}; slowest answer ${slowestMs.toFixed(0)} ms`,
  )
  say(
    `${resting} cancels meanwhile: ${cancels.passed} passed, slowest ${cancels.slowestMs.toFixed(0)} ms`,
  )
  check(retryless === 0, `${retryless} refusals without Retry-After`)
  check(failed === 0, `${failed} requests without an answer or with another status`)
  check(cancels.passed === resting, `only ${cancels.passed} of ${resting} cancels passed`)
  check(refused.length > 0, 'the load was no overload: nothing was refused')
} finally {
  await stage.close()
}
for (const problem of problems) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

function check(isKept: boolean, promise: string): void {
  if (!isKept) problems.push(promise)
}

function order(index: number, more: Record<string, unknown>): string {
  return JSON.stringify({
    account: `bench-${index % accounts}`,
    symbol: stageSymbols[index % stageSymbols.length],
    side: 'buy',
    quantity: String(1 + (index % 7)),
    ...more,
  })
}

type Target = Pick<OrderStage, 'url' | 'token'>

function request({ url, token }: Target, path: string, init: RequestInit): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const signal = AbortSignal.timeout(answerMsMax)
  return fetch(`${url}${path}`, { ...init, headers, signal })
}

/** Buys far below the market: they stay until they are cancelled. */
async function placeResting(at: OrderStage): Promise<readonly string[]> {
  const ids: string[] = []
  for (let index = 0; index < resting; index += 1) {
    const body = order(index, {
      client_order_id: `rest-${index}`,
      order_type: 'limit',
      limit_price: '96',
      time_in_force: 'gtc',
    })
    const answer = await request(at, '/v1/orders', { method: 'POST', body })
    const { id, status } = placed.parse(await answer.json())
    if (status !== 'accepted') throw new Error(`a resting order was ${status}`)
    ids.push(id)
  }
  return ids
}

async function floodFrom(at: OrderStage): Promise<z.infer<typeof floodSchema>> {
  const options = ['--rate', String(rate), '--seconds', String(seconds)]
  const child = Bun.spawn(
    [process.execPath, import.meta.path, 'flood', at.url, at.token, ...options],
    { stdout: 'pipe', env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '2000' } },
  )
  return floodSchema.parse(JSON.parse(await new Response(child.stdout).text()))
}

async function sendFlood(at: Target) {
  const accepted: string[] = []
  const refused = new Map<number, number>()
  let retryless = 0
  let failed = 0
  let slowestMs = 0
  const answers: Promise<void>[] = []
  const startedAt = performance.now()
  const count = rate * seconds
  while (answers.length < count) {
    const due = Math.min(count, ((performance.now() - startedAt) * rate) / 1_000)
    while (answers.length < due) answers.push(send(answers.length))
    await Bun.sleep(1)
  }
  await Promise.all(answers)
  return { accepted, refused: [...refused], retryless, failed, slowestMs }

  async function send(index: number): Promise<void> {
    const sentAt = performance.now()
    const body = order(index, { client_order_id: `flood-${index}`, order_type: 'market' })
    const answer = await request(at, '/v1/orders', { method: 'POST', body }).catch(() => undefined)
    const document: unknown = await answer?.json().catch(() => undefined)
    slowestMs = Math.max(slowestMs, performance.now() - sentAt)
    if (answer?.status === 201) accepted.push(placed.parse(document).id)
    else if (answer?.status === 429 || answer?.status === 503) {
      refused.set(answer.status, (refused.get(answer.status) ?? 0) + 1)
      if (!/^\d+$/.test(answer.headers.get('retry-after') ?? '')) retryless += 1
    } else failed += 1
  }
}

/** Spread over the flood. */
async function cancelAll(at: OrderStage, ids: readonly string[]) {
  let passed = 0
  let slowestMs = 0
  await Bun.sleep(500)
  await Promise.all(
    ids.map(async (id, index) => {
      await Bun.sleep((index * (seconds - 1) * 1_000) / ids.length)
      const sentAt = performance.now()
      const answer = await request(at, `/v1/orders/${id}`, { method: 'DELETE' }).catch(
        () => undefined,
      )
      slowestMs = Math.max(slowestMs, performance.now() - sentAt)
      if (answer?.status === 204) passed += 1
      else say(`a cancel was answered ${answer?.status}: ${await answer?.text()}`)
    }),
  )
  return { passed, slowestMs }
}

/** Every 201 has its row, and every order comes to its end. */
async function judge({ sql }: OrderStage, flood: { readonly accepted: readonly string[] }) {
  const giveUpAt = performance.now() + 120_000
  for (;;) {
    const [row] = await sql<{ left: number }[]>`
      select count(*)::integer as left from postern_order
      where is_open and status <> 'partially_filled'`
    if (row?.left === 0) break
    if (performance.now() > giveUpAt) {
      check(false, `${row?.left} orders never ended`)
      break
    }
    await Bun.sleep(200)
  }
  const rows = await sql<{ id: string; status: string }[]>`select id, status from postern_order`
  const known = new Map(rows.map(({ id, status }) => [id, status]))
  const lost = flood.accepted.filter((id) => !known.has(id))
  check(lost.length === 0, `${lost.length} accepted orders have no row, e.g. ${lost[0]}`)
  const unfilled = flood.accepted.filter(
    (id) => !['filled', 'partially_filled', 'denied'].includes(known.get(id) ?? ''),
  )
  check(unfilled.length === 0, `${unfilled.length} accepted orders did not fill`)
  const [positions] = await sql<{ faults: number }[]>`
    select count(*)::integer as faults from (
      select account, symbol, sum(case side when 'buy' then quantity else -quantity end) as held
      from postern_fill group by account, symbol) as f
    full join postern_position p using (account, symbol)
    where coalesce(f.held, 0) <> coalesce(p.quantity, 0)`
  check(positions?.faults === 0, `${positions?.faults} positions are not the sum of their fills`)
}
