import { expect, test } from 'bun:test'
import { memoryGateway, problemIn, receiptIn } from './memory-gateway.ts'

async function enqueue(world: ReturnType<typeof memoryGateway>): Promise<string> {
  const response = await world.post('/v1/jobs/score-wallet', { payload: { wallet: 'w1' } })
  return (await receiptIn(response)).id
}

/** Reads frames until one matches, at most the stream's length. */
async function readUntil(response: Response, wanted: string): Promise<string> {
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk)
    if (text.includes(wanted)) return text
  }
  return text
}

test('the stream of a job begins with the job and ends after its outcome', async () => {
  const world = memoryGateway()
  const id = await enqueue(world)
  const response = await world.request(`/v1/jobs/${id}/events`)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const reading = response.text()
  world.finish(id)
  const events = (await reading).split('\n\n').filter((frame) => frame.startsWith('id: '))
  expect(events.map((frame) => /"state":"(\w+)"/.exec(frame)?.[1])).toEqual([
    'accepted',
    'completed',
  ])
})

test('Last-Event-ID resumes after that event', async () => {
  const world = memoryGateway()
  const id = await enqueue(world)
  world.finish(id)
  const whole = await (await world.request(`/v1/jobs/${id}/events`)).text()
  const firstId = /^id: (\S+)$/m.exec(whole)?.[1] ?? ''
  const rest = await world.request(`/v1/jobs/${id}/events`, {
    headers: { 'last-event-id': firstId },
  })
  const events = (await rest.text()).split('\n\n').filter((frame) => frame.startsWith('id: '))
  expect(events.length).toBe(1)
  expect(events[0]).toContain('"state":"completed"')
})

const anyId = '0190a3f2-7c1e-7a4b-9d2e-5f60718293a4'

test.each(['x', '1', `-1.${anyId}`, `1.${anyId}x`, `${'9'.repeat(20)}.${anyId}`])(
  'the Last-Event-ID %s is refused before a stream begins',
  async (cursor) => {
    const world = memoryGateway()
    const id = await enqueue(world)
    const headers = { 'last-event-id': cursor }
    const response = await world.request(`/v1/jobs/${id}/events`, { headers })
    expect((await problemIn(response)).code).toBe('request.malformed')
  },
)

test("the stream of a queue tells of its caller's jobs alone", async () => {
  const world = memoryGateway()
  const mine = await world.request('/v1/queues/score-wallet/events')
  const others = await world.request('/v1/queues/score-wallet/events', { as: 'other' })
  const reading = readUntil(mine, 'event: job')
  const readingOthers = others.text()
  const id = await enqueue(world)
  expect(await reading).toContain(id)
  await world.gateway.close()
  expect(await readingOthers).not.toContain(id)
})

test('a queue that does not exist has no stream', async () => {
  const response = await memoryGateway().request('/v1/queues/nothing/events')
  expect((await problemIn(response)).code).toBe('queue.not_found')
})

test('the streams of one subject are bounded, and a stream that ended gives its place back', async () => {
  const world = memoryGateway()
  const id = await enqueue(world)
  const open = () => world.request(`/v1/jobs/${id}/events`)
  const streams = await Promise.all(Array.from({ length: 50 }, open))
  expect(streams.every((response) => response.status === 200)).toBe(true)
  const refused = await open()
  expect((await problemIn(refused)).code).toBe('gateway.overloaded')
  expect(refused.headers.get('retry-after')).toBe('5')
  await streams[0]?.body?.cancel()
  expect((await open()).status).toBe(200)
  await world.gateway.close()
})

test('HEAD opens no stream', async () => {
  const world = memoryGateway()
  const id = await enqueue(world)
  for (let count = 0; count < 60; count++) {
    const response = await world.request(`/v1/jobs/${id}/events`, { method: 'HEAD' })
    expect(response.status).toBe(200)
  }
})

test('a stream whose token is revoked ends before its next event', async () => {
  const world = memoryGateway()
  const id = await enqueue(world)
  const reading = (await world.request(`/v1/jobs/${id}/events`)).text()
  await Bun.sleep(0)
  world.access.revoke('all')
  await Bun.sleep(0)
  world.finish(id)
  const text = await reading
  expect(text).toContain('"code":"auth.token_rejected"')
  expect(text).not.toContain('"state":"completed"')
})
