import type { TransactionSql } from 'postgres'
import { z } from 'zod'
import { subjectOf } from '../../access/principal.ts'
import { PosternError } from '../../errors.ts'
import type { Metrics } from '../../metrics.ts'
import { groupCommit, runOrSplit, type Settled } from '../../postgres/group-commit.ts'
import { observedCommit } from '../../postgres/observed-commit.ts'
import { databaseOutage, rethrowAsOutage } from '../../postgres/outage.ts'
import type { StatementPart } from '../../postgres/statement-part.ts'
import type { OrderDocument } from '../order-document.ts'
import { type DeskConnection, type DeskWork, viewedTransaction } from './desk-transaction.ts'
import type { OrderRequest } from './entry-view.ts'
import type { ReadMarket } from './market-snapshot.ts'
import { type Entered, enterOrder } from './order-entry.ts'
import { readEntryView } from './read-entry.ts'

/** Orders that share a commit. One for all accounts is cheaper than one for each of them. */
export const ordersPerCommit = 128
/** Orders that may wait: a third of a second's worth, then it is better to refuse. */
const waitingMax = 500

export type OrderIntake = {
  /**
   * Decides and stores an order with its events, reservation, idempotency key, audit record and
   * the job that sends it, in one commit, shared with others of its account. Throws
   * `account.not_authorized`, `order.client_id_taken`, `trading.halted`, `idempotency.*`,
   * `gateway.overloaded`, `database.unavailable`: no order was stored.
   */
  enter(request: OrderRequest): Promise<Entered>
  idle(): Promise<void>
}

export type OrderIntakeOptions = DeskConnection & { readonly readMarket: ReadMarket }

export function orderIntake(options: OrderIntakeOptions): OrderIntake {
  const commits = groupCommit<OrderRequest, Entered>({
    run: (requests, sent) => enterBatch(options, requests, sent),
    batchMax: ordersPerCommit,
    // One that decides; those that only commit are not counted.
    inFlightMax: 1,
    waitingMax,
    refuse: () => new PosternError('gateway.overloaded', { retryAfterSeconds: 1 }),
    // A key that is used twice at once would end the whole statement.
    keyOf: ({ idempotency, caller, terms }) =>
      idempotency === undefined ? terms.id : `${subjectOf(caller.principal)} ${idempotency.key}`,
  })

  return {
    async enter(request) {
      const startedMs = performance.now()
      const entered = await commits.submit(request)
      if (options.metrics !== undefined) count(options.metrics, entered, startedMs)
      return entered
    },
    idle: commits.idle,
  }
}

/** A repeated answer is of an order that was counted when it was entered. */
function count(metrics: Metrics, { order, replayed }: Entered, startedMs: number): void {
  if (replayed) return
  metrics.deskEntrySeconds.observe((performance.now() - startedMs) / 1_000)
  metrics.ordersEntered.inc({ verdict: order.status })
  if (order.status === 'denied') metrics.orderDenials.inc({ code: order.reject_code ?? '' })
}

async function enterBatch(
  options: OrderIntakeOptions,
  requests: readonly OrderRequest[],
  sent: () => void,
): Promise<readonly Settled<Entered>[]> {
  const traceOf = (request: OrderRequest) => request.caller.traceparent
  const run = observedCommit(
    options,
    { name: 'order', traceOf },
    (batch: readonly OrderRequest[]) => enterTogether(options, batch, sent),
  )
  const fates = await runOrSplit(
    requests,
    // Its key may have been taken meanwhile by an order of another account: then the answer is there.
    (batch) => run(batch).catch((error) => (isTaken(error, batch) ? run(batch) : rethrow(error))),
    (error) => databaseOutage(error) !== undefined,
  )
  return fates.map((fate) => (fate.ok ? fate.value : { ok: false, error: outageOf(fate.error) }))
}

const uniqueViolation = z.object({ code: z.literal('23505') })

/** With neighbours it is tried alone first. */
function isTaken(error: unknown, batch: readonly OrderRequest[]): boolean {
  return batch.length === 1 && uniqueViolation.safeParse(error).success
}

function rethrow(error: unknown): never {
  throw error
}

function outageOf(error: unknown): unknown {
  return databaseOutage(error) ?? error
}

/** What one request is answered never undoes what its neighbours are. */
async function enterTogether(
  options: OrderIntakeOptions,
  requests: readonly OrderRequest[],
  sent: () => void,
): Promise<readonly Settled<Entered>[]> {
  const accounts = [...new Set(requests.map(({ terms }) => terms.account))]
  const pairs = new Map(requests.map(({ terms }) => [`${terms.account} ${terms.symbol}`, terms]))
  const { readMarket } = options
  const scope = { accounts, pairs: [...pairs.values()] }
  const read = (transaction: TransactionSql, at: Date) =>
    Promise.all([
      readAnswers(transaction, requests),
      readEntryView(transaction, requests, { at, readMarket }),
    ])
  const run = (work: DeskWork, [answers, view]: Awaited<ReturnType<typeof read>>) => {
    const stored: StoredKey[] = []
    const fates = requests.map((request): Settled<Entered> => {
      try {
        const known = answers.get(keyOf(request) ?? '')
        if (known !== undefined) return { ok: true, value: replay(known, request) }
        const order = enterOrder(work, view, request)
        stored.push({ request, order })
        return { ok: true, value: { order, replayed: false } }
      } catch (error) {
        if (!(error instanceof PosternError)) throw error
        return { ok: false, error }
      }
    })
    if (stored.length > 0) work.store(keysPart(work.transaction, stored))
    return fates
  }
  return await viewedTransaction(options, scope, { read, run, sent }).catch(rethrowAsOutage)
}

const orderRoute = '/v1/orders'

function keyOf({ idempotency, caller }: OrderRequest): string | undefined {
  if (idempotency === undefined) return undefined
  return `${subjectOf(caller.principal)} ${idempotency.key}`
}

type StoredKey = { readonly request: OrderRequest; readonly order: OrderDocument }

const identified = z.looseObject({ id: z.uuid() })
const answersSchema = z.array(
  z.object({
    key: z.string(),
    fingerprint: z.string(),
    response: z.custom<OrderDocument>((value) => identified.safeParse(value).success),
  }),
)
type StoredAnswer = z.infer<typeof answersSchema>[number]

async function readAnswers(
  sql: TransactionSql,
  requests: readonly OrderRequest[],
): Promise<ReadonlyMap<string, StoredAnswer>> {
  const keyed = requests.filter(({ idempotency }) => idempotency !== undefined)
  if (keyed.length === 0) return new Map()
  const rows = await sql`
    select w.issuer || ' ' || w.subject || ' ' || w.key as key,
      encode(i.fingerprint, 'hex') as fingerprint, i.response
    from unnest(${keyed.map(({ caller }) => caller.principal.issuer)}::text[],
      ${keyed.map(({ caller }) => caller.principal.subject)}::text[],
      ${keyed.map(({ idempotency }) => idempotency?.key ?? '')}::text[]) as w(issuer, subject, key)
    cross join lateral (
      -- One at most: joined, it would be planned by the subject alone while statistics are young.
      select fingerprint, response from postern_idempotency
      where subject = w.subject and key = w.key and route = ${orderRoute} and method = 'POST'
        and issuer = w.issuer limit 1) as i`
  return new Map(answersSchema.parse(rows).map((answer) => [answer.key, answer]))
}

function replay(answer: StoredAnswer, { idempotency }: OrderRequest): Entered {
  if (answer.fingerprint !== idempotency?.fingerprint) {
    throw new PosternError('idempotency.mismatch', {
      detail: 'This Idempotency-Key was used with another order; use a new key for a new order.',
    })
  }
  return { order: answer.response, replayed: true }
}

function keysPart(sql: TransactionSql, stored: readonly StoredKey[]): StatementPart {
  const rows = stored.flatMap(({ request: { idempotency, caller }, order }) =>
    idempotency === undefined
      ? []
      : [
          {
            issuer: caller.principal.issuer,
            subject: caller.principal.subject,
            key: idempotency.key,
            fingerprint: idempotency.fingerprint,
            response: order,
          },
        ],
  )
  return sql`, keys as (
      insert into postern_idempotency (issuer, subject, method, route, key, fingerprint, response)
      select issuer, subject, 'POST', ${orderRoute}, key, decode(fingerprint, 'hex'), response
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(
        issuer text, subject text, key text, fingerprint text, response jsonb)
      order by subject, key, issuer
    )`
}
