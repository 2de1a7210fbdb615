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
