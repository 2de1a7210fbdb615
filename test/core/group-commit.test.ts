import { expect, test } from 'bun:test'
import { groupCommit, runOrSplit, type Settled } from '#core/postgres/group-commit.ts'

const overloaded = new Error('overloaded')
const ok = <Value>(value: Value): Settled<Value> => ({ ok: true, value })

/** Batches that end when the test says so. */
function heldCommits(limits: { batchMax: number; inFlightMax: number; waitingMax: number }) {
  const batches: { readonly items: readonly string[]; readonly end: () => void }[] = []
  const commits = groupCommit<string, string>({
    ...limits,
    refuse: () => overloaded,
    keyOf: (item) => item.split('/')[0] ?? '',
    async run(items) {
      const { promise, resolve } = Promise.withResolvers<void>()
      batches.push({ items, end: resolve })
      await promise
      return items.map((item) => ok(item))
    },
  })
  return { batches, commits }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('what exceeds the waiting room is refused, and only that', async () => {
  const { batches, commits } = heldCommits({ batchMax: 1, inFlightMax: 1, waitingMax: 2 })
  const first = commits.submit('a')
  await turn()
  const waiting = [commits.submit('b'), commits.submit('c')]
  await expect(commits.submit('d')).rejects.toBe(overloaded)
  for (let ended = 0; ended < 3; ended += 1) {
    batches[ended]?.end()
    await turn()
    await turn()
  }
  expect(await Promise.all([first, ...waiting])).toEqual(['a', 'b', 'c'])
})

test('items that arrive together share a batch; a batch is never larger than its limit', async () => {
  const { batches, commits } = heldCommits({ batchMax: 3, inFlightMax: 2, waitingMax: 10 })
  const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((item) => commits.submit(item))
  await turn()
  expect(batches.map((batch) => batch.items)).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
  ])
  batches[0]?.end()
  await turn()
  expect(batches[2]?.items).toEqual(['g'])
  for (const batch of batches) batch.end()
  expect(await Promise.all(all)).toHaveLength(7)
})

test('two items of one key never share a batch, and keep their order', async () => {
  const { batches, commits } = heldCommits({ batchMax: 10, inFlightMax: 1, waitingMax: 10 })
  const all = ['a/1', 'b/1', 'a/2', 'a/3'].map((item) => commits.submit(item))
  for (let seen = 0; seen < 3; seen += 1) {
    await turn()
    batches[seen]?.end()
    await turn()
  }
  await Promise.all(all)
  expect(batches.map((batch) => batch.items)).toEqual([['a/1', 'b/1'], ['a/2'], ['a/3']])
})

test('idle resolves after the last batch, at once when there is none', async () => {
  const { batches, commits } = heldCommits({ batchMax: 1, inFlightMax: 1, waitingMax: 10 })
  await commits.idle()
  const all = [commits.submit('a'), commits.submit('b')]
  let isIdle = false
  const idle = commits.idle().then(() => {
    isIdle = true
  })
  await turn()
  batches[0]?.end()
  await turn()
  await turn()
  expect(isIdle).toBe(false)
  batches[1]?.end()
  await idle
  expect(await Promise.all(all)).toEqual(['a', 'b'])
})

test('a batch that throws fails each of its items and none of the next batch', async () => {
  const broken = new Error('broken')
  const commits = groupCommit<string, string>({
    batchMax: 2,
    inFlightMax: 1,
    waitingMax: 10,
    refuse: () => overloaded,
    async run(items) {
      if (items.includes('bad')) throw broken
      return items.map((item) => ok(item))
    },
  })
  const fates = await Promise.allSettled(['a', 'bad', 'c', 'd'].map((item) => commits.submit(item)))
  expect(fates.map((fate) => fate.status)).toEqual([
    'rejected',
    'rejected',
    'fulfilled',
    'fulfilled',
  ])
})

test('a refused statement is run again item by item, an outage is not', async () => {
  const runs: string[][] = []
  const run = async (items: readonly string[]) => {
    runs.push([...items])
    if (items.includes('bad')) throw new Error('refused')
    if (items.includes('gone')) throw new Error('outage')
    return items
  }
  const isOutage = (error: unknown) => error instanceof Error && error.message === 'outage'
  const split = await runOrSplit(['a', 'bad', 'c'], run, isOutage)
  expect(split.map((fate) => fate.ok)).toEqual([true, false, true])
  runs.length = 0
  const failed = await runOrSplit(['a', 'gone'], run, isOutage)
  expect(failed.map((fate) => fate.ok)).toEqual([false, false])
  expect(runs).toEqual([['a', 'gone']])
})

test('once a batch has sent its last statement the next begins beside it, and neither is forgotten', async () => {
  const batches: { readonly items: readonly string[]; sent(): void; end(): void }[] = []
  const commits = groupCommit<string, string>({
    ...{ batchMax: 10, inFlightMax: 1, waitingMax: 10, refuse: () => overloaded },
    async run(items, sent) {
      const { promise, resolve } = Promise.withResolvers<void>()
      batches.push({ items, sent, end: resolve })
      await promise
      return items.map((item) => ok(item))
    },
  })
  const all = [commits.submit('a')]
  await turn()
  all.push(commits.submit('b'), commits.submit('c'))
  await turn()
  expect(batches).toHaveLength(1)
  // Said twice it lets one batch pass.
  batches[0]?.sent()
  batches[0]?.sent()
  all.push(commits.submit('d'))
  await turn()
  expect(batches.map(({ items }) => items)).toEqual([['a'], ['b', 'c']])
  let isIdle = false
  const idle = commits.idle().then(() => {
    isIdle = true
  })
  batches[1]?.sent()
  expect(batches.at(-1)?.items).toEqual(['d'])
  for (const { end } of batches.slice(1)) end()
  await Promise.all(all.slice(1))
  expect(isIdle).toBe(false)
  batches[0]?.end()
  await idle
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd'])
})
