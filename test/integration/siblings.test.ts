import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openStage, type Side, type Stage } from '#test/fault/stage.ts'
import { childrenOf } from '#test/support/child-processes.ts'

const processes = 3
let stage: Stage
let serving: Side

beforeAll(async () => {
  stage = await openStage()
  serving = await stage.serve(processes)
})
afterAll(() => stage.close())

/** A connection of its own, so that the kernel gives it to any of them. */
function get(path: string): Promise<Response> {
  const headers = { authorization: `Bearer ${stage.token}`, connection: 'close' }
  return fetch(`${stage.url}${path}`, { headers, signal: AbortSignal.timeout(10_000) })
}

/** Requests for a path, by process, as one scrape tells. */
async function served(route: string): Promise<ReadonlyMap<string, number>> {
  const answer = await get('/internal/metrics')
  if (answer.status !== 200) return new Map()
  const lines = (await answer.text()).split('\n')
  const counts = lines.filter(
    (line) => line.startsWith('postern_http_request_seconds_count') && line.includes(`"${route}"`),
  )
  return new Map(counts.map((line) => [labelOf(line), Number(line.split(' ').at(-1))]))
}

const labelOf = (line: string) => /process="(\d+)"/.exec(line)?.[1] ?? 'none'

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 15_000
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error('it did not come about in 15 s')
    await Bun.sleep(50)
  }
}

/** True once each has answered something. */
async function allServe(): Promise<boolean> {
  await Promise.all(Array.from({ length: 20 }, () => get('/v1/kinds').catch(() => undefined)))
  return (await served('/v1/kinds')).size === processes
}

/** The gateways themselves: children of the supervisor. */
const siblings = () => childrenOf(serving.pid)

test('any of them answers a scrape for all of them', async () => {
  await until(allServe)
  const before = await served('/v1/kinds')
  const sent = 60
  await Promise.all(Array.from({ length: sent }, () => get('/v1/kinds')))
  const after = await served('/v1/kinds')
  const sum = (counts: ReadonlyMap<string, number>) =>
    [...counts.values()].reduce((all, count) => all + count, 0)
  expect(sum(after) - sum(before)).toBe(sent)
})

test('nobody else gets a share of their port', async () => {
  const { code, said } = await stage.serveInVain()
  expect(said).toContain('POSTERN_LISTEN_PORT')
  expect(code).toBe(78)
})

test('one that is killed is started again, and the others go on', async () => {
  const [first = 0, ...others] = await siblings()
  expect(others).toHaveLength(processes - 1)
  process.kill(first, 'SIGKILL')
  await until(async () => {
    const now = await siblings()
    return now.length === processes && !now.includes(first)
  })
  expect(await siblings()).toEqual(expect.arrayContaining([...others]))
  await until(allServe)
})

test('SIGTERM ends all of them', async () => {
  const before = await siblings()
  expect(await serving.end()).toBe(0)
  for (const pid of before) expect(() => process.kill(pid, 0)).toThrow()
})
