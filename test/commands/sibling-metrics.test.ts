import { expect, test } from 'bun:test'
import { Counter, Registry } from 'prom-client'
import { PosternError } from '#core/errors.ts'
import { metricsExchange, type Sibling, siblingMetrics } from '../../commands/sibling-metrics.ts'

/** A gateway with one counter, joined to an exchange as over a channel; deaf ones get no message. */
function join(exchange: ReturnType<typeof metricsExchange>, index: number, isDeaf = false) {
  const registry = new Registry()
  const requests = new Counter({ name: 'requests', help: 'Requests', registers: [registry] })
  const listeners: ((message: unknown) => void)[] = []
  const sibling: Sibling = {
    send(message) {
      const copy: unknown = JSON.parse(JSON.stringify(message))
      if (!isDeaf) for (const listener of listeners) listener(copy)
    },
  }
  const read = siblingMetrics(registry, index, {
    send: (message) => exchange.receive(sibling, JSON.parse(JSON.stringify(message))),
    onMessage: (listener) => void listeners.push(listener),
  })
  return { requests, read, sibling }
}

test('each process keeps its own series, whoever is asked', async () => {
  const exchange = metricsExchange()
  const [first, second] = [join(exchange, 0), join(exchange, 1)]
  first.requests.inc(2)
  second.requests.inc(3)
  for (const { read } of [first, second]) {
    const text = await read()
    expect(text).toContain('requests{process="0"} 2')
    expect(text).toContain('requests{process="1"} 3')
  }
})

test('without the word of one there is no answer that leaves it out', async () => {
  const exchange = metricsExchange()
  const first = join(exchange, 0)
  const deaf = join(exchange, 1, true)
  const error = await first.read().catch((thrown: unknown) => thrown)
  expect(error instanceof PosternError && error.code).toBe('gateway.overloaded')
  exchange.remove(deaf.sibling)
  expect(await first.read()).toContain('requests{process="0"} 0')
})

test('one that has ended, and messages of no kind, harm nobody', async () => {
  const exchange = metricsExchange()
  const first = join(exchange, 0)
  const gone: Sibling = {
    send() {
      throw new Error('the channel is closed')
    },
  }
  exchange.receive(gone, { joined: true })
  exchange.receive(gone, { ask: 1 })
  exchange.receive(gone, { collected: 99, metrics: [] })
  exchange.receive(gone, 'hello')
  expect(await first.read()).toContain('requests')
})

test('one that ends while it is asked is left out of the answer', async () => {
  const exchange = metricsExchange()
  const first = join(exchange, 0)
  const deaf = join(exchange, 1, true)
  const reading = first.read()
  exchange.remove(deaf.sibling)
  expect(await reading).toContain('requests{process="0"} 0')
})
