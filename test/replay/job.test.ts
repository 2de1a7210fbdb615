import { expect, test } from 'bun:test'
import type { Job } from '#core/job/job-store.ts'
import type { ReplayResult } from '#core/replay/replay-result.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import {
  type SimulateRegimePayload,
  simulateRegimeKind,
  simulateRegimePayload,
} from '#core/replay/simulate-kind.ts'
import { reportRoutes } from '#gateway/routes/reports.ts'
import { memoryGateway, problemIn } from '#test/gateway/memory-gateway.ts'
import { memoryJobs } from '#test/gateway/memory-jobs.ts'
import { simulateRegime } from '#workers/simulate-regime.ts'

const jobId = '01a20f12-c4f6-7606-9ce0-d90c9c29338d'

function simulate(payload: unknown, options: { id?: string; signal?: AbortSignal } = {}) {
  const attempt = {
    jobId: options.id ?? jobId,
    attempt: 1,
    attemptsMax: 3,
    requestId: 'r',
    traceparent: undefined,
  }
  const parsed: SimulateRegimePayload = simulateRegimePayload.parse(payload)
  const signal = options.signal ?? new AbortController().signal
  return simulateRegime({ rulesOf: replayRules }).process({ ...attempt, payload: parsed }, signal)
}

test.each([
  ['no scenario', {}],
  ['a scenario that is none', { scenario: 'boredom' }],
  ['one bar too many', { scenario: 'calm', bars: 2_000_001 }],
  ['a seed with a fraction', { scenario: 'calm', seed: 0.5 }],
  ['a VIX of nothing', { scenario: 'calm', vix: 0 }],
  ['no cash', { scenario: 'calm', cash: '0.5' }],
  ['a member nobody knows', { scenario: 'calm', speed: 2 }],
])('a payload with %s is refused', (_, payload) => {
  expect(simulateRegimePayload.safeParse(payload).success).toBe(false)
})

test('the result is the kind’s, and a second attempt at a job comes to the same', async () => {
  const first = await simulate({ scenario: 'flash-crash' })
  const second = await simulate({ scenario: 'flash-crash' })
  const other = await simulate({ scenario: 'flash-crash' }, { id: jobId.replace(/d$/, 'e') })
  expect(simulateRegimeKind.result.parse(first.result)).toEqual(second.result)
  expect(other.result.seed).not.toBe(first.result.seed)
  expect(first.details).toMatchObject({
    seed: first.result.seed,
    sha256: first.result.manifest.sha256,
  })
})

test('a run stops within a block of bars when it is aborted, and lets others run meanwhile', async () => {
  const abort = new AbortController()
  let turns = 0
  const turning = setInterval(() => {
    turns += 1
    if (turns === 3) abort.abort(new Error('cancelled'))
  }, 0)
  try {
    await expect(
      simulate({ scenario: 'volatility', bars: 2_000_000 }, { signal: abort.signal }),
    ).rejects.toThrow('cancelled')
    expect(turns).toBeGreaterThanOrEqual(3)
  } finally {
    clearInterval(turning)
  }
})

const job: Job = {
  ...{ id: jobId, kind: 'simulate-regime', state: 'completed', tag: undefined, priority: 20 },
  ...{ issuer: 'https://issuer.example', subject: 'all', notBefore: undefined, attemptsMax: 3 },
  ...{ timeoutMs: 1_000, callbackUrl: undefined, requestId: 'r', traceparent: undefined },
  acceptedAt: '2026-11-24T11:59:58.000Z',
  startedAt: '2026-11-24T11:59:59.000Z',
  finishedAt: '2026-11-24T11:59:59.500Z',
  ...{ dispatch: 1, attempt: 1, result: undefined, problem: undefined },
}

function gatewayWith(...stored: readonly Job[]) {
  const world = memoryJobs()
  for (const each of stored) world.store(each)
  return memoryGateway({ overrides: { routes: [...reportRoutes({ jobs: world.jobs })] } })
}

test('a report is refused of a job that is not there, not the caller’s, not done or of another kind', async () => {
  const path = `/v1/jobs/${jobId}/report`
  const codeOf = async (stored: readonly Job[], as: string) =>
    (await problemIn(await gatewayWith(...stored).request(path, { as }))).code
  expect(await codeOf([], 'all')).toBe('job.not_found')
  expect(await codeOf([job], 'other')).toBe('job.not_found')
  expect(await codeOf([job], 'none')).toBe('access.scope_missing')
  expect(await codeOf([{ ...job, state: 'running' }], 'all')).toBe('report.not_found')
  expect(await codeOf([{ ...job, kind: 'score-wallet' }], 'all')).toBe('report.not_found')
})

test('a report is a page that may load and run nothing', async () => {
  const { result } = await simulate({ scenario: 'breaker-1', seed: 5 })
  const stored: ReplayResult = JSON.parse(JSON.stringify(result))
  const response = await gatewayWith({ ...job, result: stored }).request(`/v1/jobs/${jobId}/report`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  const html = await response.text()
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? ''
  const hash = new Bun.CryptoHasher('sha256').update(style).digest('base64')
  expect(response.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  )
  expect(html).toContain('<h1>Breaker, level 1</h1>')
})
