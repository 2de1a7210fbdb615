import { expect, test } from 'bun:test'
import { z } from 'zod'
import { memoryGateway, problemIn, receiptIn } from './memory-gateway.ts'

const page = z.object({ jobs: z.array(z.unknown()) })

async function withJob() {
  const world = memoryGateway()
  const accepted = await world.post('/v1/jobs/score-wallet', { payload: { wallet: 'w1' } })
  const { id } = await receiptIn(accepted)
  return { ...world, id }
}

test.each([
  ['GET', ''],
  ['GET', '/events'],
  ['DELETE', ''],
  ['POST', '/retry'],
])("%s of another owner's job%s is answered as one that never was", async (method, suffix) => {
  const { request, id } = await withJob()
  const foreign = await request(`/v1/jobs/${id}${suffix}`, { method, as: 'other' })
  const absent = await request(`/v1/jobs/0190a3f2-7c1e-7a4b-9d2e-5f60718293a4${suffix}`, {
    method,
    as: 'other',
  })
  const problems = [await problemIn(foreign), await problemIn(absent)]
  expect(problems.map((problem) => problem.code)).toEqual(['job.not_found', 'job.not_found'])
  expect(problems[0]?.detail ?? '').toBe(problems[1]?.detail ?? '')
})

test("a list holds one's own jobs, everybody's with the scope for it", async () => {
  const { request } = await withJob()
  const counts = []
  for (const as of ['all', 'other', 'any']) {
    const response = await request('/v1/jobs', { as })
    counts.push(page.parse(await response.json()).jobs.length)
  }
  expect(counts).toEqual([1, 0, 1])
})

test("a list by subject holds that subject's jobs, another's only with the scope for it", async () => {
  const { request } = await withJob()
  const counts = []
  for (const [as, subject] of [
    ...[['any', 'all'] as const, ['any', 'other'] as const],
    ...[['all', 'all'] as const, ['other', 'all'] as const],
  ]) {
    const response = await request(`/v1/jobs?subject=${subject}`, { as })
    counts.push(page.parse(await response.json()).jobs.length)
  }
  expect(counts).toEqual([1, 0, 1, 0])
})

test.each(['', 'a%20b', 'x'.repeat(257)])('no subject is called "%s"', async (subject) => {
  const { request } = await withJob()
  const problem = await problemIn(await request(`/v1/jobs?subject=${subject}`))
  expect(problem.code).toBe('request.query_invalid')
})

test('a long poll is answered when the job is finished', async () => {
  const { request, finish, id } = await withJob()
  const answer = request(`/v1/jobs/${id}?wait=30`)
  finish(id)
  expect(await (await answer).json()).toMatchObject({ id, state: 'completed' })
})

test('a long poll ends with the job as it stands when the gateway closes', async () => {
  const { request, gateway, id } = await withJob()
  const answer = request(`/v1/jobs/${id}?wait=30`)
  await gateway.close()
  expect(await (await answer).json()).toMatchObject({ id, state: 'accepted' })
})

test('a token revoked during a long poll gets no answer from it', async () => {
  const { request, access, finish, id } = await withJob()
  const answer = request(`/v1/jobs/${id}?wait=30`)
  await Promise.resolve()
  access.revoke('all')
  finish(id)
  expect((await problemIn(await answer)).code).toBe('auth.token_rejected')
})

test('cancelling says what happened, the second time too', async () => {
  const { request, id } = await withJob()
  const first = await request(`/v1/jobs/${id}`, { method: 'DELETE' })
  const second = await request(`/v1/jobs/${id}`, { method: 'DELETE' })
  expect([first.status, second.status]).toEqual([200, 200])
  expect(await first.json()).toMatchObject({ outcome: 'cancelled', job: { state: 'cancelled' } })
  expect(await second.json()).toMatchObject({ outcome: 'too_late', job: { state: 'cancelled' } })
})

test('only a failed job is accepted again', async () => {
  const { request, finish, id } = await withJob()
  const early = await request(`/v1/jobs/${id}/retry`, { method: 'POST' })
  expect((await problemIn(early)).code).toBe('job.not_retryable')
  finish(id, 'failed')
  const response = await request(`/v1/jobs/${id}/retry`, { method: 'POST' })
  expect(response.status).toBe(202)
  expect(await response.json()).toMatchObject({ id, state: 'accepted', dispatch: 2 })
})

test('the kinds are listed with schemas and limits, without those of Postern itself', async () => {
  const response = await memoryGateway().request('/v1/kinds')
  expect(await response.json()).toMatchObject({
    kinds: [{ name: 'score-wallet', attemptsMax: 5, payload: { required: ['wallet'] } }],
  })
})

test("operators' acts reach the queue of the kind, or say that there is none", async () => {
  const { request, acts } = memoryGateway()
  for (const act of ['pause', 'resume', 'drain', 'replay?limit=5']) {
    const path = (kind: string) => `/internal/queues/${kind}/${act}`
    expect((await request(path('score-wallet'), { method: 'POST' })).status).toBe(200)
    const unknown = await request(path('nothing'), { method: 'POST' })
    expect((await problemIn(unknown)).code).toBe('queue.not_found')
  }
  expect(acts).toEqual([
    'pause score-wallet',
    'resume score-wallet',
    'drain score-wallet',
    'replay 5 score-wallet',
  ])
})

test('one failed job is replayed, under its own kind only', async () => {
  const { request, finish, id } = await withJob()
  const replay = (kind: string) =>
    request(`/internal/queues/${kind}/failed/${id}/replay`, { method: 'POST' })
  expect((await problemIn(await replay('score-wallet'))).code).toBe('job.not_retryable')
  finish(id, 'failed')
  expect((await problemIn(await replay('deliver-webhook'))).code).toBe('job.not_found')
  expect((await replay('score-wallet')).status).toBe(202)
})

test('metrics are told by route template, never by path', async () => {
  const { request, id } = await withJob()
  await request(`/v1/jobs/${id}`)
  await request('/v1/nowhere')
  const text = await (await request('/internal/metrics')).text()
  expect(text).toContain(
    'postern_http_request_seconds_count{method="GET",route="/v1/jobs/:id",status="200"} 1',
  )
  expect(text).not.toContain(id)
  expect(text).not.toContain('nowhere')
})

test('readiness decides the status, its checks stand in the body', async () => {
  const down = memoryGateway({
    overrides: { readiness: () => ({ ready: false, checks: { database: { ok: false } } }) },
  })
  const response = await down.request('/readyz', { as: '' })
  expect(response.status).toBe(503)
  expect(await response.json()).toEqual({ ready: false, checks: { database: { ok: false } } })
  expect((await down.request('/healthz', { as: '' })).status).toBe(200)
})
