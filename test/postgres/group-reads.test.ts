import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { groupReads } from '#core/postgres/group-reads.ts'

/** A store whose statements end when they are told to. */
function slowStore() {
  const statements: { readonly keys: readonly string[]; end(): void }[] = []
  const values = new Map([
    ['a', 1],
    ['b', 2],
  ])
  const read = groupReads<string, number | undefined>({
    async read(keys) {
      const seen = keys.map((key) => values.get(key))
      const ended = Promise.withResolvers<void>()
      statements.push({ keys, end: ended.resolve })
      await ended.promise
      return seen
    },
    textOf: (key) => key,
    keysMax: 3,
  })
  return { read, statements, values }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('those that ask together share a statement, and an answer where they ask for the same', async () => {
  const { read, statements } = slowStore()
  const answers = Promise.all(['a', 'b', 'a', 'c'].map(read))
  await turn()
  expect(statements.map(({ keys }) => keys)).toEqual([['a', 'b', 'c']])
  for (const { end } of statements) end()
  expect(await answers).toEqual([1, 2, 1, undefined])
})

test('who asks while a statement is under way is answered by a later one', async () => {
  const { read, statements, values } = slowStore()
  const early = read('a')
  await turn()
  values.set('a', 9)
  const late = read('a')
  await turn()
  expect(statements).toHaveLength(1)
  statements[0]?.end()
  expect(await early).toBe(1)
  await turn()
  statements[1]?.end()
  expect(await late).toBe(9)
})

test('one statement is under way at most, of so many keys at most', async () => {
  const { read, statements } = slowStore()
  const answers = Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(read))
  for (const count of [1, 2, 3]) {
    await turn()
    expect(statements).toHaveLength(count)
    statements.at(-1)?.end()
  }
  expect(statements.map(({ keys }) => keys.length)).toEqual([3, 3, 1])
  expect(await answers).toHaveLength(7)
})

test('one that cannot be read fails no other, an outage is of all and asked about once', async () => {
  let statements = 0
  const read = groupReads<string, string>({
    read(keys) {
      statements += 1
      if (keys.includes('away')) {
        return Promise.reject(new PosternError('database.unavailable', { reason: 'away' }))
      }
      return keys.includes('bad') ? Promise.reject(new Error('bad')) : Promise.resolve(keys)
    },
    textOf: (key) => key,
    keysMax: 8,
  })
  const fates = await Promise.allSettled(['a', 'bad', 'c'].map(read))
  expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  statements = 0
  const away = await Promise.allSettled(['a', 'away'].map(read))
  expect(away.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(statements).toBe(1)
  expect(await read('a')).toBe('a')
})
