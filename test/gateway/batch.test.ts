import { expect, test } from 'bun:test'
import { batchJobsMax } from '#core/job/limits.ts'
import { memoryGateway, problemIn } from './memory-gateway.ts'

const lines = { 'content-type': 'application/x-ndjson' }
const job = (wallet: string) => ({ kind: 'score-wallet', payload: { wallet } })

test('a list and lines are accepted in one submission each, in their order', async () => {
  const { post, submissions } = memoryGateway()
  const jobs = [job('a'), job('b')]
  const list = await post('/v1/jobs', jobs)
  const ofLines = await post(
    '/v1/jobs',
    `${jobs.map((item) => JSON.stringify(item)).join('\n')}\n`,
    {
      headers: lines,
    },
  )
  expect([list.status, ofLines.status]).toEqual([202, 202])
  const wallets = submissions.map((submission) => submission.jobs.map((each) => each.payload))
  expect(wallets).toEqual([
    [{ wallet: 'a' }, { wallet: 'b' }],
    [{ wallet: 'a' }, { wallet: 'b' }],
  ])
})

test('one bad item refuses all, and every fault is named with its item', async () => {
  const { post, submissions } = memoryGateway()
  const batch = [job('a'), { kind: 'score-wallet', payload: {} }, { kind: 'x' }, 7, job('b')]
  const problem = await problemIn(await post('/v1/jobs', batch))
  expect(problem.code).toBe('request.body_invalid')
  expect(problem.errors?.map((error) => error.pointer)).toEqual([
    '/1/payload/wallet',
    '/2/kind',
    '/3',
  ])
  expect(submissions.length).toBe(0)
})

test('a line that is not JSON is named by its number', async () => {
  const text = `${JSON.stringify(job('a'))}\n{"kind":\n`
  const problem = await problemIn(await memoryGateway().post('/v1/jobs', text, { headers: lines }))
  expect(problem).toMatchObject({
    code: 'request.malformed',
    detail: 'Line 2: The body is not JSON.',
  })
})

test.each([
  ['no job', []],
  ['a job too many', Array.from({ length: batchJobsMax + 1 }, () => job('a'))],
  ['one job outside a list', job('a')],
])('%s is no batch', async (_name, batch) => {
  const problem = await problemIn(await memoryGateway().post('/v1/jobs', batch))
  expect(problem.code).toBe('request.body_invalid')
})

test('a full batch is accepted, as lines too', async () => {
  const full = Array.from({ length: batchJobsMax }, () => job('a'))
  const { post } = memoryGateway()
  expect((await post('/v1/jobs', full)).status).toBe(202)
  const text = full.map((item) => JSON.stringify(item)).join('\n')
  expect((await post('/v1/jobs', text, { headers: lines })).status).toBe(202)
  const tooMany = await post('/v1/jobs', `${text}\n${text}`, { headers: lines })
  expect((await problemIn(tooMany)).code).toBe('request.body_invalid')
})

test('a batch past 4 MiB is refused while it is read', async () => {
  const response = await memoryGateway().request('/v1/jobs', {
    method: 'POST',
    headers: lines,
    body: new Blob([' '.repeat(4_194_305)]).stream(),
  })
  expect((await problemIn(response)).code).toBe('request.body_too_large')
})

test('the right to send batches is not the right to a kind', async () => {
  const { post, submissions, records } = memoryGateway()
  const problem = await problemIn(await post('/v1/jobs', [job('a')], { as: 'batch' }))
  expect(problem).toMatchObject({
    code: 'access.scope_missing',
    detail: 'The kind score-wallet needs the scope jobs:write:scoring.',
  })
  expect(records.map((record) => record.reason)).toEqual(['scope.missing'])
  expect(submissions.length).toBe(0)
})

test('a repeated batch gets the first receipts again', async () => {
  const { post, submissions } = memoryGateway()
  const headers = { 'idempotency-key': 'batch-1' }
  const first = await post('/v1/jobs', [job('a')], { headers })
  const again = await post('/v1/jobs', [job('a')], { headers })
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await again.text()).toBe(await first.text())
  expect(submissions.length).toBe(1)
})
