import { beforeEach, expect, test } from 'bun:test'
import { createMetrics, type Metrics } from '#core/metrics.ts'
import { meteredVenue } from '#core/order/venue/venue-metrics.ts'
import type { Venue } from '#core/order/venue.ts'
import { noSignal, orderTerms, referenceTo, testAccount } from './order-terms.ts'
import { type ScriptedVenue, scriptedVenue } from './scripted-venue.ts'

let inner: ScriptedVenue
let metrics: Metrics
let venue: Venue

beforeEach(() => {
  inner = scriptedVenue()
  metrics = createMetrics()
  venue = meteredVenue(inner, metrics)
})

/** `call outcome count` of every call that was counted. */
async function counted(): Promise<readonly string[]> {
  const { values } = await metrics.venueCallSeconds.get()
  return values
    .filter(({ metricName }) => metricName === 'postern_venue_calls_seconds_count')
    .map(({ labels, value }) => `${labels.venue} ${labels.call} ${labels.outcome} ${value}`)
    .sort()
}

test('calls that fail count by how they failed', async () => {
  inner.script({ kind: 'unavailable' }, { kind: 'reject', code: 'NO' }, { kind: 'lose-order' })
  await expect(venue.submit(orderTerms(), noSignal)).rejects.toThrow('scripted')
  await venue.submit(orderTerms(), noSignal)
  await venue.submit(orderTerms(), noSignal)
  const early = venue.submit(orderTerms(), AbortSignal.abort())
  await expect(early).rejects.toThrow('given up')
  const broken = meteredVenue(
    { ...inner, positions: () => Promise.reject(new TypeError('a bug')) },
    metrics,
  )
  await expect(broken.positions(testAccount)).rejects.toThrow('a bug')
  await venue.cancel(referenceTo(orderTerms()), noSignal)
  expect(await counted()).toEqual([
    'scripted cancel not_found 1',
    'scripted positions failed 1',
    'scripted submit given_up 1',
    'scripted submit rejected 1',
    'scripted submit unavailable 1',
    'scripted submit unknown 1',
  ])
})

test('each call counts once, fills by the wait for the first', async () => {
  const terms = orderTerms()
  const { account, clientOrderId } = terms
  await venue.submit(terms, noSignal)
  inner.trade('AAPL', terms.quantity, terms.limitPrice ?? 0n)
  inner.trade('AAPL', terms.quantity, terms.limitPrice ?? 0n)
  await venue.findByClientOrderId(account, clientOrderId)
  await venue.listOpen(account)
  expect(await Array.fromAsync(venue.listFills(account, undefined))).toHaveLength(1)
  await venue.positions(account)
  await venue.account(account)
  await venue.clock(account)
  await venue.replace(referenceTo(terms), orderTerms(), noSignal)
  expect(await counted()).toEqual([
    'scripted account answered 1',
    'scripted clock answered 1',
    'scripted find answered 1',
    'scripted list_fills answered 1',
    'scripted list_open answered 1',
    'scripted positions answered 1',
    'scripted replace rejected 1',
    'scripted submit accepted 1',
  ])
})

test('a reader that wants no more fills lets the venue go', async () => {
  let isLetGo = false
  async function* fills() {
    try {
      yield* inner.listFills(testAccount, undefined)
    } finally {
      isLetGo = true
    }
  }
  const terms = orderTerms()
  await inner.submit(terms, noSignal)
  inner.trade('AAPL', terms.quantity / 2n, terms.limitPrice ?? 0n)
  inner.trade('AAPL', terms.quantity / 2n, terms.limitPrice ?? 0n)
  const metered = meteredVenue({ ...inner, listFills: fills }, metrics)
  for await (const fill of metered.listFills(testAccount, undefined)) {
    expect(fill.clientOrderId).toBe(terms.clientOrderId)
    break
  }
  expect(isLetGo).toBe(true)
})
