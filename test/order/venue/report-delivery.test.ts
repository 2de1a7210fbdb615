import { expect, test } from 'bun:test'
import { deliverReports } from '#core/order/venue/report-delivery.ts'
import type { VenueReport } from '#core/order/venue.ts'

function report(clientOrderId: string, type: 'expired' | 'suspended' = 'expired'): VenueReport {
  return { account: 'desk-1', clientOrderId, event: { type } }
}

/** A handler whose reports are taken when the test says so. */
function heldHandler() {
  const begun: string[] = []
  const held: PromiseWithResolvers<void>[] = []
  return {
    begun,
    held,
    handle({ clientOrderId, event }: VenueReport): Promise<void> {
      begun.push(`${clientOrderId} ${event.type}`)
      const taken = Promise.withResolvers<void>()
      held.push(taken)
      return taken.promise
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('reports of one order wait for each other, those of another do not', async () => {
  const { begun, held, handle } = heldHandler()
  const delivery = deliverReports(handle, new AbortController().signal)
  delivery.tell(report('a', 'suspended'))
  delivery.tell(report('a', 'expired'))
  delivery.tell(report('b'))
  await turn()
  expect(begun).toEqual(['a suspended', 'b expired'])
  expect(delivery.pending).toBe(3)
  held[0]?.resolve()
  await turn()
  expect(begun).toEqual(['a suspended', 'b expired', 'a expired'])
  expect(delivery.pending).toBe(2)
})

test('told together, those of one order do not wait, and begin in the order they came', () => {
  const { begun, handle } = heldHandler()
  const delivery = deliverReports(handle, new AbortController().signal, 'together')
  delivery.tell(report('a', 'suspended'))
  delivery.tell(report('a', 'expired'))
  expect(begun).toEqual(['a suspended', 'a expired'])
  expect(delivery.pending).toBe(2)
})

test('a report that is kept back lets the next of its order pass', async () => {
  const ended = new AbortController()
  const { begun, handle } = heldHandler()
  const delivery = deliverReports(handle, ended.signal)
  delivery.tell(report('a', 'suspended'), 60_000)
  delivery.tell(report('a', 'expired'))
  await turn()
  expect(begun).toEqual(['a expired'])
  ended.abort()
})

test('at the end a handler that runs is waited for, and a refused report is given up', async () => {
  const ended = new AbortController()
  const { held, handle } = heldHandler()
  const delivery = deliverReports(handle, ended.signal)
  delivery.tell(report('a'))
  await turn()
  ended.abort()
  let isSettled = false
  const settling = delivery.settled().then(() => {
    isSettled = true
  })
  await turn()
  expect(isSettled).toBe(false)
  held[0]?.reject(new Error('not now'))
  await settling
  expect(held).toHaveLength(1)
})
