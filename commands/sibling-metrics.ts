import { AggregatorRegistry, type Registry } from 'prom-client'
import { z } from 'zod'
import { PosternError } from '#core/errors.ts'

/** Milliseconds; a process that is alive answers within one turn of its loop. */
const answerMsMax = 2_000

const askSchema = z.strictObject({ ask: z.int() })
const collectSchema = z.strictObject({ collect: z.int() })
const collectedSchema = z.strictObject({ collected: z.int(), metrics: z.array(z.unknown()) })
const answerSchema = z.strictObject({ answer: z.int(), all: z.array(z.array(z.unknown())) })

/** What a message between supervisor and gateway needs of either. */
export type Sibling = { send(message: unknown): void }

/**
 * The supervisor's part: a gateway that is asked for metrics asks here, and gets those of all gateways
 * that share its port. One that is alive and silent leaves the question without an answer.
 */
export function metricsExchange() {
  const siblings = new Set<Sibling>()
  const open = new Map<number, { readonly asker: Sibling; readonly id: number; left: number }>()
  const gathered = new Map<number, unknown[][]>()
  let questions = 0

  function ask(asker: Sibling, id: number): void {
    const question = ++questions
    open.set(question, { asker, id, left: siblings.size })
    gathered.set(question, [])
    for (const sibling of siblings) tell(sibling, { collect: question })
    setTimeout(() => forget(question), answerMsMax).unref()
  }

  function forget(question: number): void {
    open.delete(question)
    gathered.delete(question)
  }

  function collected(question: number, metrics: unknown[]): void {
    const asked = open.get(question)
    const all = gathered.get(question)
    if (asked === undefined || all === undefined) return
    all.push(metrics)
    asked.left -= 1
    if (asked.left > 0) return
    tell(asked.asker, { answer: asked.id, all })
    forget(question)
  }

  return {
    add: (sibling: Sibling) => void siblings.add(sibling),
    remove: (sibling: Sibling) => void siblings.delete(sibling),
    receive(sibling: Sibling, message: unknown): void {
      const asked = askSchema.safeParse(message)
      if (asked.success) ask(sibling, asked.data.ask)
      const answered = collectedSchema.safeParse(message)
      if (answered.success) collected(answered.data.collected, answered.data.metrics)
    },
  }
}

/** One that has just ended is no longer asked, and answers nothing. */
function tell(sibling: Sibling, message: unknown): void {
  try {
    sibling.send(message)
  } catch {
    // Its end is the supervisor's to see.
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
