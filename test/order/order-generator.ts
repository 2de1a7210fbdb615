import { invariant } from '#core/invariant.ts'
import { parseAmount, unit } from '#core/order/amount.ts'
import type { OrderEvent, OrderState, OrderTerms, Trade } from '#core/order/order.ts'
import { newOrder, type Transition, transition } from '#core/order/transition.ts'
import type { seededRandom } from '../audit/verify/seeded-random.ts'

export function orderTerms(change: Partial<OrderTerms> = {}): OrderTerms {
  return {
    id: '01936f5e-0000-7000-8000-000000000001',
    account: 'paper',
    clientOrderId: 'client-1',
    symbol: 'AAPL',
    side: 'buy',
    type: 'limit',
    timeInForce: 'gtc',
    quantity: parseAmount('10'),
    limitPrice: parseAmount('101'),
    stopPrice: undefined,
    expireAt: undefined,
    strategy: undefined,
    reduceOnly: false,
    ...change,
  }
}

export function trade(tradeId: string, quantity: string, price = '100'): Trade {
  return { tradeId, quantity: parseAmount(quantity), price: parseAmount(price), fee: 7n, at: 1_000 }
}

export function succession(quantity: string, price = '100'): OrderEvent & { type: 'succeed' } {
  const cumQuantity = parseAmount(quantity)
  const cumMoney = cumQuantity * parseAmount(price)
  return { type: 'succeed', replaces: 'predecessor', venueOrderId: 'V1', cumQuantity, cumMoney }
}

/** What happens between two of our requests: ours first, then what the venue tells. */
type Phase = { readonly ours: readonly OrderEvent[]; readonly reports: readonly OrderEvent[] }
export type VenueHistory = {
  readonly terms: OrderTerms
  readonly phases: readonly Phase[]
  /** What a successor was given. */
  readonly carried: { readonly cumQuantity: bigint; readonly cumMoney: bigint }
}
export type Random = ReturnType<typeof seededRandom>
type Request = 'cancel' | 'replace'

const ack: OrderEvent = { type: 'venue.ack', venueOrderId: 'V1' }
const canceled: OrderEvent = { type: 'venue.canceled', reason: 'as asked' }
const expired: OrderEvent = { type: 'expire' }
const checked: readonly OrderEvent[] = [
  { type: 'risk.pass', warnings: [] },
  { type: 'worker.sent', attempt: 1 },
]

/**
 * A history that a venue can tell, in its true order. At most one correction, bust or hold, which
 * is not lifted, and no two requests of a kind: reports carry no number of their own, so a repeated
 * answer would pass for the answer to a second request. A request fails when its order is full, so
 * where a bust may come after that, the order is not to be replaced, and a cancel is answered.
 */
export function venueHistory(random: Random): VenueHistory {
  const terms = orderTerms()
  const { first, submit, carried } = beginning(random)
  const given = { terms, carried: { cumQuantity: carried.cumQuantity, cumMoney: carried.cumMoney } }
  if (random.below(10) === 0) {
    const reject: OrderEvent = { type: 'venue.reject', code: 'halted', raw: 'halted' }
    const phases = [{ ours: [submit, ...checked], reports: [ack, reject] }]
    return { terms, phases, carried: { cumQuantity: 0n, cumMoney: 0n } }
  }
  const requests = requestsOf(random)
  const room = Number((terms.quantity - carried.cumQuantity) / unit)
  const isFull = random.below(3) === 0
  const fills = fillsOf(random, isFull ? room : random.below(room))
  const changes = requests.includes('replace') ? [] : changesOf(random, fills)
  const isLowered = changes.some(({ type }) => type.startsWith('trade_'))
  const isOver = isFull && !isLowered
  const start = fills.splice(0, Math.max(isLowered ? 1 : 0, random.below(fills.length + 1)))
  // A request is made of an order that is still open.
  if (fills.length === 0 && isOver) requests.length = 0
  const phases: Phase[] = [
    { ours: [submit, ...checked], reports: [first, ...start, ...changes] },
    ...requests.map((request, at) => {
      const isLast = at === requests.length - 1
      const done = isLast && !isOver ? random.below(isLowered ? 3 : 4) : 2
      return {
        ours: [ourRequest(request)],
        reports: [...(isLast ? fills : []), ...answersTo(request, { done, isLast })],
      }
    }),
  ]
  if (requests.length > 0) return { ...given, phases }
  const end = isOver ? [] : ([[], [canceled], [expired]][random.below(3)] ?? [])
  return { ...given, phases: [...phases, { ours: [], reports: [...fills, ...end] }] }
}

function beginning(random: Random) {
  const submit = { type: 'submit', requested: orderTerms().quantity } as const
  const carried = succession('0')
  if (random.below(4) !== 0) return { first: ack, submit, carried }
  const first = succession(String(random.below(5)), '99.5')
  return { first, submit: { ...submit, replaces: first.replaces }, carried: first }
}

function requestsOf(random: Random): Request[] {
  const all: Request[][] = [[], [], ['cancel'], ['replace'], ['cancel', 'replace']]
  return [...(all[random.below(6)] ?? ['replace', 'cancel'])]
}

function fillsOf(random: Random, goal: number): OrderEvent[] {
  const fills: OrderEvent[] = []
  for (let filled = 0; filled < goal; ) {
    const quantity = Math.min(1 + random.below(4), goal - filled)
    filled += quantity
    const price = `${90 + random.below(20)}.${random.below(1_000)}`
    fills.push({ type: 'trade', trade: trade(`T${fills.length}`, String(quantity), price) })
  }
  return fills
}

function ourRequest(request: Request): OrderEvent {
  if (request === 'cancel') return { type: 'cancel.request' }
  return { type: 'replace.request', successor: 'successor', patch: { limitPrice: 5n } }
}

function answersTo(
  request: Request,
  { done, isLast }: { done: number; isLast: boolean },
): readonly OrderEvent[] {
  const refusal: OrderEvent = { type: `${request}.reject`, code: 'TOO_LATE' }
  const agreed: OrderEvent =
    request === 'cancel' ? canceled : { type: 'replaced', successor: 'successor' }
  if (!isLast) return [refusal]
  return [[agreed], [expired], [refusal]][done] ?? []
}

/** A correction, a bust, a hold, or none of them. */
function changesOf(random: Random, fills: readonly OrderEvent[]): readonly OrderEvent[] {
  const kind = random.below(6)
  if (kind === 0) return [{ type: 'suspend' }]
  if (kind === 1) return [{ type: 'done_for_day' }]
  const first = fills[0]
  if (kind > 3 || first?.type !== 'trade') return []
  const { tradeId } = first.trade
  if (kind === 2) return [{ type: 'trade_cancel', tradeId }]
  const corrected = trade(random.below(2) === 0 ? tradeId : 'C0', '0.5', '95.5')
  return [{ type: 'trade_correct', tradeId, trade: corrected }]
}

/**
 * The same history as it may arrive: the reports of a phase in any order, some again later. Trades
 * and acknowledgements may even come after our next request, which is made once the order is open.
 */
export function arrivalOf(history: VenueHistory, random: Random): readonly OrderEvent[] {
  let late: OrderEvent[] = []
  return history.phases.flatMap(({ ours, reports }, at) => {
    const again = reports.filter(() => random.below(3) === 0)
    const here = shuffled([...late, ...reports, ...again], random)
    const isLast = at === history.phases.length - 1
    const isOpening = at === 0 && !isLast
    // The first report opens the order; without it there would be nothing to cancel or replace.
    const kept = isOpening ? here.slice(0, 1) : []
    const [first] = kept
    const isOpened = first?.type === 'trade' || first?.type === 'venue.ack'
    const canWait = (event: OrderEvent) => event.type === 'trade' || event.type === 'venue.ack'
    const delayed =
      isLast || (isOpening && !isOpened)
        ? []
        : here.slice(kept.length).filter((event) => canWait(event) && random.below(3) === 0)
    const now = here.filter((event) => !delayed.includes(event) || kept.includes(event))
    late = [...delayed, ...reports.filter(() => random.below(4) === 0)]
    return [...ours, ...now]
  })
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = items.map((item) => ({ item, key: random.random() }))
  return order.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

function isOurs({ type }: OrderEvent): boolean {
  return type === 'submit' || type === 'worker.sent' || type.endsWith('.request')
}

export type Run = { readonly state: OrderState; readonly log: readonly OrderEvent[] }

/**
 * Takes events as they arrive. What is refused is kept and tried again after every event that
 * moves the order, so that a bust waits for its trade and a hold for the acknowledgement.
 */
export function takeAll(
  terms: OrderTerms,
  events: Iterable<OrderEvent>,
  afterEach: (state: OrderState) => void = () => undefined,
): Run {
  let state = newOrder(terms)
  const log: OrderEvent[] = []
  let quarantine: OrderEvent[] = []
  function take(event: OrderEvent): Transition {
    const next = transition(state, event)
    if (next.kind === 'moved') {
      state = next.state
      log.push(event)
    }
    afterEach(state)
    return next
  }
  function takeQuarantined(): boolean {
    const tried = quarantine
    quarantine = []
    const kinds = tried.map((event) => {
      const { kind } = take(event)
      if (kind === 'refused') quarantine.push(event)
      return kind
    })
    return kinds.includes('moved')
  }
  for (const event of events) {
    const { kind } = take(event)
    // A venue answers requests, so a history in which one of ours was refused would be another.
    if (isOurs(event)) invariant(kind === 'moved', `${event.type} is legal here`)
    if (kind === 'refused') quarantine.push(event)
    while (kind === 'moved' && takeQuarantined());
  }
  return { state, log }
}
