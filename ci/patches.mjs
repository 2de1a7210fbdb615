import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What is mended in a package until its authors do: a text of one file, and what stands there instead.
 * A version without the text is refused by name, so that a new version is looked at again.
 */
export const patches = [
  {
    // The queue of idle connections gives its places back only when it is empty, so that a pool which
    // is never all busy keeps one for each query it ever made, and looks through them all for each
    // (`test/bench/pool-age.ts`).
    file: 'postgres/src/queue.js',
    before: `      } else {
        xs[index - 1] = undefined
      }`,
    after: `      } else if (index * 2 >= xs.length) {
        xs = xs.slice(index)
        index = 0
      } else {
        xs[index - 1] = undefined
      }`,
  },
  {
    // A transaction goes on asking on a connection that is gone, or that has been opened again for somebody
    // else: on one that is lost nothing is sent any more. Where its options begin with `>`, which is no SQL
    // (`core/postgres/early-begin.ts`), its first statements are sent along with its `begin`.
    file: 'postgres/src/index.js',
    before: `      , prepare = null

    try {
      await sql.unsafe('begin ' + options.replace(/[^a-z ]/ig, ''), [], { onexecute }).execute()
      return await Promise.race([
        scope(connection, fn),
        new Promise((_, reject) => connection.onclose = reject)
      ])`,
    after: `      , prepare = null
      , lost = null
      , reach = null
      , lose = null

    try {
      const reached = new Promise(resolve => reach = resolve)
      const losing = new Promise((_, reject) => lose = error => reject(lost = error))
      losing.catch(() => { /* noop */ })
      const begun = sql.unsafe('begin ' + options.replace(/[^a-z ]/ig, ''), [], { onexecute }).execute()
      begun.catch(lose)
      await (options[0] === '>' ? Promise.race([begun, reached]) : begun)
      connection.queue === full && move(connection, reserved)
      connection.onclose = lose
      return await Promise.race([
        scope(connection, fn),
        losing
      ])`,
  },
  {
    file: 'postgres/src/index.js',
    before: `        q.catch(e => uncaughtError || (uncaughtError = e))
        c.queue === full`,
    after: `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (lost)
          return q.reject(lost)
        c.queue === full`,
  },
  {
    file: 'postgres/src/index.js',
    before: `      connection = c
      move(c, reserved)`,
    after: `      connection = c
      reach()
      move(c, reserved)`,
  },
]

/** Changes what is not changed yet, and throws, naming the file, where the text is not found. */
export function applyPatches(modules) {
  for (const { file, before, after } of patches) {
    const path = join(modules, file)
    const text = readFileSync(path, 'utf8')
    if (text.includes(after)) continue
    if (text.split(before).length !== 2) {
      throw new Error(
        `${file}: not the text that ci/patches.mjs mends; read it again and change or drop the patch`,
      )
    }
    writeFileSync(
      path,
      text.replace(before, () => after),
    )
  }
}
