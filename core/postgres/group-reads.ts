import { PosternError } from '../errors.ts'
import { groupCommit, runOrSplit } from './group-commit.ts'
import { databaseOutage } from './outage.ts'

/** A second one beside it would find half as many keys: on a busy machine each costs more than the keys. */
const inFlightMax = 1
const waitingMax = 10_000

export type GroupReadsOptions<Key, Value> = {
  /** One statement; the value of each key, in order. Whoever asked for the same has the same value. */
  readonly read: (keys: readonly Key[]) => Promise<readonly Value[]>
  /** Of one text is one value. */
  readonly textOf: (key: Key) => string
  /** Of one statement. */
  readonly keysMax: number
}

/** Rows by the key that they are of: `n`, counted from 1 as `with ordinality` does. */
export function rowsByKey<Row extends { readonly n: number }>(
  keys: readonly unknown[],
  rows: readonly Row[],
): readonly (readonly Row[])[] {
  const byKey = Map.groupBy(rows, ({ n }) => n)
  return keys.map((_key, at) => byKey.get(at + 1) ?? [])
}

/**
 * Lets concurrent readers share statements: those that wait are answered together. A statement begins
 * after everyone in it has asked, so nobody sees less than a read of his own would have shown him; a
 * lone reader waits for nobody. Throws what `read` throws, and `database.unavailable` when too many wait.
 */
export function groupReads<Key, Value>(
  options: GroupReadsOptions<Key, Value>,
): (key: Key) => Promise<Value> {
  const { read, textOf, keysMax } = options
  const waiting = new Map<string, Promise<Value>>()
  const reads = groupCommit<Key, Value>({
    run(keys) {
      // Whoever asks from now on is answered by a later statement.
      for (const key of keys) waiting.delete(textOf(key))
      return runOrSplit(keys, read, (error) => databaseOutage(error) !== undefined)
    },
    ...{ batchMax: keysMax, inFlightMax, waitingMax },
    refuse: () => new PosternError('database.unavailable', { reason: 'too many reads waiting' }),
  })

  return (key) => {
    const text = textOf(key)
    const known = waiting.get(text)
    if (known !== undefined) return known
    const value = reads.submit(key)
    waiting.set(text, value)
    // One that was refused never ran.
    value.catch(() => {
      if (waiting.get(text) === value) waiting.delete(text)
    })
    return value
  }
}
