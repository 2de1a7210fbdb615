import { readFile } from 'node:fs/promises'
import { familyOf, nameOf } from './processes.ts'

/** The kernel counts hundredths of a second. */
const msPerTick = 10

export type CpuTimes = ReadonlyMap<string, number>

/** Milliseconds of CPU so far, by the name of a process of Postern's; Postgres is one with all its own. */
export async function cpuTimes(pids: {
  readonly postern: readonly number[]
  readonly postgres: number
}): Promise<CpuTimes> {
  const times = new Map<string, number>()
  const add = (name: string, ms: number) => times.set(name, (times.get(name) ?? 0) + ms)
  for (const pid of (await Promise.all(pids.postern.map(familyOf))).flat()) {
    const name = await nameOf(pid)
    if (name !== undefined) add(name, await cpuMs(pid))
  }
  for (const pid of await familyOf(pids.postgres)) add('postgres', await cpuMs(pid))
  return times
}

async function cpuMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Behind the name, which may hold blanks; children that have ended count with their parent.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) * msPerTick
}

/** What a request has cost each of them. */
export function cpuText(before: CpuTimes, after: CpuTimes, requests: number): string {
  return [...after]
    .map(([name, ms]) => {
      const each = (ms - (before.get(name) ?? 0)) / Math.max(1, requests)
      return `${name} ${each.toFixed(2)} ms`
    })
    .join(', ')
}
