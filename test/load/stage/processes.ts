import { readFile } from 'node:fs/promises'

/** A process and all below it. */
export async function familyOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const children = text.trim().split(' ').filter(Boolean).map(Number)
  return [pid, ...(await Promise.all(children.map(familyOf))).flat()]
}

/** `serve`, `work` …: the command's own words; undefined for one that has ended meanwhile. */
export async function nameOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const words = text.split('\0').filter((word) => /^[a-z]+$/.test(word))
  return words.length === 0 ? undefined : words.join(' ')
}
