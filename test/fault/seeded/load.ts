import { z } from 'zod'
import { developmentIssuer } from '#core/access/access-file.ts'
import { stageSymbols } from '#test/bench/order-stage.ts'
import { scoreRequests } from '../stage.ts'
import type { Callers, Victim } from './access.ts'
import { type Asking, asking } from './asking.ts'
import { type History, nowMs, remember, type Told } from './history.ts'
import { account, type Stage } from './stage.ts'

const jobClients = 3
/** Of a score: it runs for milliseconds. */
const swapsEach = 5
const pauseMs = { job: 40, order: 60, thief: 50, probe: 150, look: 100 }
/** Seconds that a probe waits for its job. */
const probeWaitSeconds = 2
const cancelChance = 0.1
const replayChance = 0.1
/** In which the tokens are revoked, one by one: before the shortest load is over. */
const revokeMsMax = 3_000
/** Milliseconds behind the load until every revocation is effective and was tried. */
const effectMsMax = 30_000
/** Uses of a token behind the moment from which it is dead. */
const triesMin = 5
/** What a probe is counted as whose job has not ended in time. */
const notInTime = 504

const jobsPath = '/v1/jobs/score-wallet'
const withId = z.object({ id: z.string() })
const cancelDone = z.object({ outcome: z.string().optional() })
const jobState = z.object({ state: z.string() })
const revocation = z.object({ id: z.string(), effective_at: z.string().nullish() })

export type Load = {
  /** Where clients go from now on. */
  direct(url: string): void
  /** Ends when each client has an answer or has given up. */
  stop(): Promise<void>
}

type Client = {
  readonly asking: Asking
  readonly history: History
  readonly callers: Callers
  readonly random: () => number
  readonly now: { readonly isOver: boolean; readonly giveUpMs: number }
}

/** Clients that go on through everything, each with the same key until it is answered. */
export function startLoad(stage: Stage, history: History, random: () => number): Load {
  const now = { url: stage.postern.url, isOver: false, giveUpMs: Number.POSITIVE_INFINITY }
  const client = { asking: asking(history, now), history, random, now, callers: stage.callers }
  const clients = [
    ...Array.from({ length: jobClients }, () => placeJobs(client, Math.floor(random() * 1e9))),
    ...[
      placeOrders(client),
      probe(client, stage.callers.main),
      probe(client, stage.callers.fetched),
    ],
    ...stage.callers.victims.map((victim) => steal(client, victim)),
    ...stage.callers.victims.map((victim) => revoke(client, victim, random() * revokeMsMax)),
  ]
  return {
    direct(to) {
      now.url = to
    },
    async stop() {
      now.isOver = true
      now.giveUpMs = nowMs() + effectMsMax
      await Promise.all(clients)
    },
  }
}

async function placeJobs(client: Client, seed: number): Promise<void> {
  const { history, random, now } = client
  const next = scoreRequests(seed, swapsEach)
  while (!now.isOver) {
    const key = Bun.randomUUIDv7()
    remember(history.jobs, key)
    const body = next()
    await placeJob(client, key, body)
    if (random() < replayChance) await placeJob(client, key, body)
    await Bun.sleep(pauseMs.job)
  }
}

async function placeJob({ asking, history, callers, random }: Client, key: string, body: string) {
  const as = callers.main
  const told = await asking.insist('job', jobsPath, { as, body, key })
  if (told.status !== 202) return
  const { id } = withId.parse(told.body)
  remember(history.jobs, key, id)
  history.acknowledged.push(told)
  if (random() >= cancelChance) return
  const cancelled = await asking.insist('cancel', `/v1/jobs/${id}`, { as, method: 'DELETE' })
  const { outcome } = cancelDone.parse(cancelled.body ?? {})
  if (outcome === 'cancelled') history.acknowledged.push(cancelled)
}

async function placeOrders({ asking, history, callers, random, now }: Client): Promise<void> {
  while (!now.isOver) {
    const key = Bun.randomUUIDv7()
    const symbol = stageSymbols[Math.floor(random() * stageSymbols.length)]
    const terms = { account, symbol, side: 'buy', quantity: '1', order_type: 'market' }
    remember(history.orders, key)
    const body = { ...terms, client_order_id: key }
    const told = await asking.insist('order', '/v1/orders', { as: callers.main, key, body })
    if (told.status === 201) {
      remember(history.orders, key, withId.parse(told.body).id)
      history.acknowledged.push(told)
    }
    await Bun.sleep(pauseMs.order)
  }
}

async function probe(client: Client, as: string): Promise<void> {
  const next = scoreRequests(1, 1)
  while (!client.now.isOver) {
    client.history.probes.push(await probeOnce(client, as, next()))
    await Bun.sleep(pauseMs.probe)
  }
}

/** 200: the job has been taken and done. */
async function probeOnce({ asking }: Client, as: string, body: string): Promise<Told> {
  const accepted = await asking.ask('probe', jobsPath, { as, body })
  if (accepted.status !== 202) return accepted
  const { id } = withId.parse(accepted.body)
  const ended = await asking.ask('probe', `/v1/jobs/${id}?wait=${probeWaitSeconds}`, { as })
  const { startedMs } = accepted
  if (ended.status !== 200) return { ...ended, startedMs }
  const isDone = jobState.safeParse(ended.body).data?.state === 'completed'
  return { ...ended, startedMs, status: isDone ? 200 : notInTime }
}

async function steal(client: Client, { token, tokenId }: Victim): Promise<void> {
  const uses: Told[] = []
  client.history.thefts.set(tokenId, uses)
  const isTried = () => {
    const sinceMs = client.history.deadSince.get(tokenId) ?? Number.POSITIVE_INFINITY
    return uses.filter(({ startedMs }) => startedMs > sinceMs).length >= triesMin
  }
  while (!client.now.isOver || (!isTried() && nowMs() < client.now.giveUpMs)) {
    uses.push(await client.asking.ask('thief', '/v1/kinds', { as: token }))
    await Bun.sleep(pauseMs.thief)
  }
}

async function revoke({ asking, history, callers, now }: Client, victim: Victim, afterMs: number) {
  await Bun.sleep(afterMs)
  const as = callers.main
  const { tokenId: value } = victim
  const body = { class: 'jti', issuer: developmentIssuer, value, reason: 'leaked' }
  const told = await asking.insist('revocation', '/internal/revocations', { as, body })
  if (told.status !== 200) return
  history.acknowledged.push(told)
  const path = `/internal/revocations/${revocation.parse(told.body).id}`
  while (nowMs() < now.giveUpMs) {
    const seen = await asking.insist('revocation', path, { as })
    if (revocation.safeParse(seen.body).data?.effective_at != null) {
      history.deadSince.set(value, seen.endedMs)
      return
    }
    await Bun.sleep(pauseMs.look)
  }
}
