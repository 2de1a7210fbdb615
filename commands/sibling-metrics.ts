import { AggregatorRegistry, type Registry } from 'prom-client'
import { z } from 'zod'
import { PosternError } from '#core/errors.ts'

/** Milliseconds; a process that is alive answers within one turn of its loop. */
const answerMsMax = 2_000

const joinedSchema = z.strictObject({ joined: z.literal(true) })
const askSchema = z.strictObject({ ask: z.int() })
const collectSchema = z.strictObject({ collect: z.int() })
const collectedSchema = z.strictObject({ collected: z.int(), metrics: z.array(z.unknown()) })
const answerSchema = z.strictObject({ answer: z.int(), all: z.array(z.array(z.unknown())) })

/** What a message between supervisor and gateway needs of either. */
export type Sibling = { send(message: unknown): void }

type Question = {
  readonly asker: Sibling
  /** The asker's own number of it. */
  readonly id: number
  readonly waitingFor: Set<Sibling>
  readonly all: unknown[][]
  readonly timer: Timer
}

/**
 * The supervisor's part: a gateway that is asked for metrics asks here, and gets those of all gateways
 * that share its port, as far as they have joined and not ended. One that is alive and silent leaves
 * the question without an answer.
 */
export function metricsExchange() {
  const siblings = new Set<Sibling>()
  const open = new Map<number, Question>()
  let questions = 0

  function ask(asker: Sibling, id: number): void {
    const question = ++questions
    const timer = setTimeout(() => open.delete(question), answerMsMax)
    open.set(question, { asker, id, waitingFor: new Set(siblings), all: [], timer })
    for (const sibling of [...siblings]) tell(sibling, { collect: question })
  }

  /** Of one that has answered, or never will. */
  function settle(question: number, sibling: Sibling, metrics: readonly unknown[][]): void {
    const asked = open.get(question)
    if (asked?.waitingFor.delete(sibling) !== true) return
    asked.all.push(...metrics)
    if (asked.waitingFor.size > 0) return
    clearTimeout(asked.timer)
    open.delete(question)
    tell(asked.asker, { answer: asked.id, all: asked.all })
  }

  function remove(sibling: Sibling): void {
    siblings.delete(sibling)
    for (const question of [...open.keys()]) settle(question, sibling, [])
  }

  function tell(sibling: Sibling, message: unknown): void {
    try {
      sibling.send(message)
    } catch {
      // It has ended, and is no longer asked.
      remove(sibling)
    }
  }

  return {
    remove,
    receive(sibling: Sibling, message: unknown): void {
      if (joinedSchema.safeParse(message).success) siblings.add(sibling)
      const asked = askSchema.safeParse(message)
      if (asked.success) ask(sibling, asked.data.ask)
      const answered = collectedSchema.safeParse(message)
      if (answered.success) settle(answered.data.collected, sibling, [answered.data.metrics])
    },
  }
}

export type MetricsExchange = ReturnType<typeof metricsExchange>

/** The channel to the supervisor, as `process` offers it to a child. */
export type Channel = {
  send: (message: unknown) => void
  onMessage: (listener: (message: unknown) => void) => void
}

/**
 * A gateway's part: its own metrics carry the label `process`, which keeps one that is started again
 * from pulling down the others' counters. The text holds those of all siblings; throws
 * `gateway.overloaded` when one of them does not answer.
 */
export function siblingMetrics(registry: Registry, index: number, channel: Channel) {
  registry.setDefaultLabels({ process: String(index) })
  const waiting = new Map<number, (all: unknown[][]) => void>()
  let questions = 0

  channel.onMessage((message) => {
    const collect = collectSchema.safeParse(message)
    if (collect.success) {
      void registry.getMetricsAsJSON().then((metrics) => {
        channel.send({ collected: collect.data.collect, metrics })
      })
      return
    }
    const answer = answerSchema.safeParse(message)
    if (answer.success) waiting.get(answer.data.answer)?.(answer.data.all)
  })

  // From here on it answers.
  channel.send({ joined: true })
  return async function readAll(): Promise<string> {
    const id = ++questions
    const { promise, resolve, reject } = Promise.withResolvers<unknown[][]>()
    const timer = setTimeout(() => reject(silent()), answerMsMax)
    waiting.set(id, resolve)
    try {
      channel.send({ ask: id })
      return await AggregatorRegistry.aggregate(await promise).metrics()
    } finally {
      clearTimeout(timer)
      waiting.delete(id)
    }
  }
}

function silent(): PosternError {
  return new PosternError('gateway.overloaded', {
    detail: 'A process that shares this port does not tell its metrics; scrape again.',
    retryAfterSeconds: 1,
  })
}
