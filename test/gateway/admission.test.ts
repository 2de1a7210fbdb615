import { expect, test } from 'bun:test'
import type { Principal } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import { createMetrics } from '#core/metrics.ts'
import { placesMax } from '#gateway/adaptive-limit.ts'
import { admission, type Work } from '#gateway/admission.ts'
import { defineRoute, type Priority } from '#gateway/route.ts'
import { seats } from '#gateway/seats.ts'
import { insideAddress, memoryGateway, problemIn } from './memory-gateway.ts'

function caller(subject: string): Principal {
  const issuer = 'https://issuer.example'
  const ids = { tokenId: `${subject}-1`, keyId: 'k1' }
  return { issuer, subject, ...ids, scopes: new Set(), expiresAt: 2e9 }
}

const [flood, quiet, third] = [caller('flood'), caller('quiet'), caller('third')] as const

/** Routes by priority, and a clock that stands until it is moved. */
function world() {
  const metrics = createMetrics()
  let nowMs = 0
  const places = admission({ metrics, clockMs: () => nowMs })
  const route = (path: string, priority: Priority) =>
    places.route({ path, method: 'POST', zone: 'v1', priority })
  return {
    metrics,
    route,
    pass(ms: number) {
      nowMs += ms
    },
  }
}

/** A route at which a hundred places are left: five seconds in which each request took one. */
function loaded(priority: Priority = 'normal') {
  const { route, pass, ...rest } = world()
  const places = route('/v1/loaded', priority)
  places.enter(third).leave()
  const held: Work[] = Array.from({ length: 1_000 }, () => places.enter(third))
  for (let second = 0; second < 5; second++) {
    pass(1_000)
    for (const work of held.splice(0)) work.leave()
    held.push(...Array.from({ length: 1_000 }, () => enterIfThereIsRoom(() => places.enter(third))))
  }
  for (const work of held.splice(0)) work.leave()
  return { ...rest, route, pass, places }
}

const noWork: Work = { leave: () => undefined }

function enterIfThereIsRoom(enter: () => Work): Work {
  try {
    return enter()
  } catch (error) {
    if (error instanceof PosternError && error.code === 'gateway.overloaded') return noWork
    throw error
  }
}

/** How often it lets in before it refuses. */
function admitted(enter: () => Work, most = placesMax + 10): number {
  for (let count = 0; count < most; count++) if (enterIfThereIsRoom(enter) === noWork) return count
  return most
}

test('a route that is not slow takes as many as its bound, and the next is refused', () => {
  const places = world().route('/v1/calm', 'normal')
  expect(admitted(() => places.enter(flood))).toBe(placesMax)
  expect(() => places.refuseOverload(quiet)).toThrow()
})

test('one who floods a slow route leaves room for another', () => {
  const { places } = loaded()
  const flooded = admitted(() => places.enter(flood))
  expect(flooded).toBeLessThan(placesMax / 4)
  const left = admitted(() => places.enter(quiet))
  expect(left).toBeGreaterThanOrEqual(Math.floor(flooded / 8))
  // All of it is taken now.
  expect(() => places.enter(third)).toThrow()
})

test('what is given back twice is given back once', () => {
  const places = world().route('/v1/calm', 'normal')
  const work = places.enter(flood)
  work.leave()
  work.leave()
  expect(admitted(() => places.enter(flood))).toBe(placesMax)
})

test('analytics are refused while another route refuses, and let in a second later', () => {
  const { route, pass, places } = loaded()
  pass(1_000)
  const analytics = route('/v1/analytics', 'last')
  analytics.enter(quiet).leave()
  admitted(() => places.enter(flood))
  expect(() => analytics.enter(quiet)).toThrow()
  pass(999)
  expect(() => analytics.refuseOverload(quiet)).toThrow()
  pass(1)
  analytics.enter(quiet).leave()
})

test('what comes first is not held back however slow it is', () => {
  const { places } = loaded('first')
  expect(admitted(() => places.enter(flood))).toBe(placesMax)
})

test('what was refused is told by route and reason', async () => {
  const { metrics, places } = loaded()
  admitted(() => places.enter(flood))
  const text = await metrics.registry.metrics()
  expect(text).toMatch(
    /admission_refusals_total\{method="POST",route="\/v1\/loaded",why="share"\} \d/,
  )
  expect(text).toMatch(/admission_limit_requests\{method="POST",route="\/v1\/loaded"\} \d/)
})

test('past its places a request is refused before its body, with Retry-After; cancels and operators pass', async () => {
  const { promise: hanging, reject } = Promise.withResolvers<never>()
  const { post, request, gateway, ...world } = memoryGateway({
    requests: 1e6,
    overrides: { intake: { accept: () => hanging, close: () => Promise.resolve() } },
  })
  const body = { payload: { wallet: 'w1' } }
  const waiting = Array.from({ length: placesMax }, () => post('/v1/jobs/score-wallet', body))
  await Bun.sleep(0)
  const unread = new ReadableStream({
    pull: () => Promise.reject(new Error('the body of a refused request was read')),
  })
  const refused = await gateway.fetch(
    new Request('http://gateway.example/v1/jobs/score-wallet', {
      method: 'POST',
      headers: { authorization: 'Bearer all', 'content-type': 'application/json' },
      body: unread,
    }),
    { requestIP: () => ({ address: insideAddress }), timeout: () => undefined },
  )
  expect(refused.headers.get('retry-after')).toBe('1')
  expect((await problemIn(refused)).code).toBe('gateway.overloaded')
  expect(world.lines.at(-1)?.fields['reason']).toBe('full')
  expect((await request('/internal/queues')).status).toBe(200)
  const id = Bun.randomUUIDv7()
  expect((await request(`/v1/jobs/${id}`, { method: 'DELETE' })).status).toBe(404)
  reject(new PosternError('audit.unavailable'))
  const codes = await Promise.all(
    waiting.map(async (answer) => (await problemIn(await answer)).code),
  )
  expect([...new Set(codes)]).toEqual(['audit.unavailable'])
})

test('who only waits holds no place', async () => {
  const { promise: hanging, resolve } = Promise.withResolvers<Response>()
  const places = seats({ total: placesMax * 2, perSubject: placesMax * 2 })
  const waitingRoute = defineRoute({
    ...{ method: 'GET', path: '/v1/waiting', zone: 'v1', scope: 'jobs:read' },
    ...{ operationId: 'wait', summary: 'Waits', answers: {}, refusals: [] },
    handle(c) {
      places.take(c)
      return hanging
    },
  })
  const { request } = memoryGateway({ requests: 1e6, overrides: { routes: [waitingRoute] } })
  const waiting = Array.from({ length: placesMax + 1 }, () => request('/v1/waiting'))
  await Bun.sleep(0)
  resolve(new Response('waited'))
  const statuses = new Set((await Promise.all(waiting)).map(({ status }) => status))
  expect([...statuses]).toEqual([200])
})
