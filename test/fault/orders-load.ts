import { z } from 'zod'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import type { FaultMarket } from './orders-market.ts'
import { drawOrder, drawPatch, type OrderBody, pick } from './orders-request.ts'
import type { OrdersStage } from './orders-stage.ts'
import type { Tally } from './orders-tally.ts'

const clients = 16
/** Accepted orders that no venue has answered for; above, callers hold back. */
const waitingMax = 250
const lookMs = 250
const requestMsMax = 15_000
const againMs = 200
const cancelRate = 0.2
const replaceRate = 0.25
/** Orders just entered that a cancel or a replacement may name, and how often it names one of them. */
const youngMax = 40
const youngRate = 0.3
/** Resting orders that it may name instead, as the last look found them. */
const restingMax = 40

const answerSchema = z.object({
  id: z.uuid(),
  client_order_id: z.string(),
  symbol: z.string(),
  status: z.string(),
  type: z.string(),
  time_in_force: z.string(),
  reject_code: z.string().optional(),
})
export type AnsweredOrder = z.infer<typeof answerSchema>
type Named = Pick<AnsweredOrder, 'id' | 'symbol'>
const replacedSchema = z.object({
  replacement: z.object({ status: z.string(), reject_code: z.string().optional() }),
})
const problemSchema = z.object({ type: z.string().optional(), code: z.string().optional() })

export type OrderLoad = {
  /** By their ids, every order that was answered with 201. */
  readonly answered: ReadonlyMap<string, AnsweredOrder>
  /** Resolves when so many orders were asked for. */
  reached(count: number): Promise<void>
  done: Promise<void>
}

/** Callers that repeat what is not answered, under one key, until it is. */
export function startLoad(
  stage: OrdersStage,
  options: {
    readonly orders: number
    readonly seed: number
    readonly market: FaultMarket
    readonly tally: Tally
  },
): OrderLoad {
  const { orders, seed, market, tally } = options
  const random = seededRandom(seed + 1)
  const answered = new Map<string, AnsweredOrder>()
  const young: Named[] = []
  let resting: readonly Named[] = []
  let asked = 0
  let waiting = 0
  let isDone = false

  async function place(index: number): Promise<void> {
    const drawn = drawOrder({ random, market })
    const body = random() < 0.5 ? { ...drawn, client_order_id: `c-${index}` } : drawn
    const answer = await repeated(stage, {
      ...{ method: 'POST', path: '/v1/orders', body, tally },
      key: `"order-${seed}-${index}"`,
    })
    if (answer.status !== 201) {
      tally.problem(`order ${index} was refused: ${answer.status} ${await answer.text()}`)
      return
    }
    remember(answerSchema.parse(await answer.json()))
  }

  function remember(order: AnsweredOrder): void {
    answered.set(order.id, order)
    tally.count(order.status === 'denied' ? 'answered denied' : 'answered accepted')
    if (order.reject_code !== undefined) tally.count(`denied ${order.reject_code}`)
    else if (order.type === 'limit' && order.time_in_force !== 'ioc') {
      young[young.length < youngMax ? young.length : Math.floor(random() * youngMax)] = order
    }
  }

  async function disturb(): Promise<void> {
    const order = pick(random() < youngRate ? young : resting, random)
    if (order === undefined) return
    const path = `/v1/orders/${order.id}`
    if (random() < cancelRate) {
      const answer = await repeated(stage, { method: 'DELETE', path, tally })
      tally.count(`cancel ${answer.status}`)
      await answer.text()
    } else if (random() < replaceRate) {
      const body = drawPatch(random, market.price(order.symbol))
      const answer = await repeated(stage, { method: 'PATCH', path, body, tally })
      const told = replacedSchema.safeParse(await answer.json()).data?.replacement
      tally.count(`replace ${told?.reject_code ?? told?.status ?? answer.status}`)
    }
  }

  async function client(): Promise<void> {
    while (asked < orders) {
      const index = asked
      asked += 1
      await place(index)
      await disturb()
      while (waiting > waitingMax) await Bun.sleep(lookMs)
    }
  }

  async function look(): Promise<void> {
    while (!isDone) {
      const rows = await stage.sql<{ count: number }[]>`
        select count(*)::integer as count from postern_order
        where is_open and status in ('accepted', 'pending_new')`.catch(() => [])
      waiting = rows[0]?.count ?? waiting
      resting = await stage.sql<Named[]>`
        select id, symbol from postern_order
        where is_open and type = 'limit' and status in ('new', 'partially_filled')
        order by random() limit ${restingMax}`.catch(() => [])
      await Bun.sleep(lookMs)
    }
  }

  const looking = look()
  const done = Promise.all(Array.from({ length: clients }, client)).then(async () => {
    isDone = true
    await looking
  })
  return {
    answered,
    done,
    async reached(count) {
      while (answered.size < count && !isDone) await Bun.sleep(20)
    },
  }
}

type Request = {
  readonly method: string
  readonly path: string
  readonly body?: OrderBody
  readonly key?: string
  readonly tally: Tally
}

async function repeated(stage: OrdersStage, request: Request): Promise<Response> {
  for (;;) {
    const answer = await ask(stage, request)
    if (answer !== undefined && answer.status !== 503 && answer.status !== 429) return answer
    const text = answer === undefined ? '' : await answer.text()
    const { type = 'nothing' } = problemSchema.safeParse(parsed(text)).data ?? {}
    request.tally.count(`asked again after ${type}`)
    await Bun.sleep(againMs)
  }
}

/** Undefined when nobody answered. */
async function ask(
  { url, token }: OrdersStage,
  { method, path, body, key }: Request,
): Promise<Response | undefined> {
  return await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(requestMsMax),
  }).catch(() => undefined)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
