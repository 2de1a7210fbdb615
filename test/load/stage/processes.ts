import { childrenOf, wordsOf } from '#test/support/child-processes.ts'

/** A process and all below it. */
export async function familyOf(pid: number): Promise<readonly number[]> {
  return [pid, ...(await Promise.all((await childrenOf(pid)).map(familyOf))).flat()]
}

/** `serve`, `work` …: the command's own words; undefined for one that has ended meanwhile. */
export async function nameOf(pid: number): Promise<string | undefined> {
  const words = (await wordsOf(pid)).filter((word) => /^[a-z]+$/.test(word))
  return words.length === 0 ? undefined : words.join(' ')
}
