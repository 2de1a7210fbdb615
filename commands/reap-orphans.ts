import { dlopen } from 'bun:ffi'
import { readdirSync, readFileSync } from 'node:fs'

/** Orphans are rare and cost a table entry each: no hurry. */
const reapEveryMs = 10_000
const noHang = 1

export type ProcessStat = {
  readonly pid: number
  readonly parentPid: number
  readonly state: string
}

/**
 * As PID 1 every orphan of the container becomes our child, and Bun waits only for children that
 * it started itself: the others are waited for here, one by one, so that Bun's own exit codes are
 * never taken from it. Elsewhere this does nothing.
 */
export function reapOrphans(
  ownPids: Pick<ReadonlySet<number>, 'has'>,
  everyMs = reapEveryMs,
): Disposable {
  if (process.pid !== 1 || process.platform !== 'linux')
    return { [Symbol.dispose]: () => undefined }
  const libc = dlopen('libc.so.6', { waitpid: { args: ['i32', 'ptr', 'i32'], returns: 'i32' } })
  const timer = setInterval(() => {
    for (const pid of orphanedZombies(readProcesses(), process.pid, ownPids)) {
      libc.symbols.waitpid(pid, null, noHang)
    }
  }, everyMs)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Ended processes that `parentPid` has inherited and not started. */
export function orphanedZombies(
  processes: readonly ProcessStat[],
  parentPid: number,
  ownPids: Pick<ReadonlySet<number>, 'has'>,
): number[] {
  return processes
    .filter((one) => one.state === 'Z' && one.parentPid === parentPid && !ownPids.has(one.pid))
    .map((one) => one.pid)
}

/** A line of /proc/PID/stat; the command in parentheses may itself hold spaces and parentheses. */
export function parseProcessStat(line: string): ProcessStat {
  const [state = '', parentPid] = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { pid: Number.parseInt(line, 10), parentPid: Number(parentPid), state }
}

function readProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))]
      } catch {
        // It ended between the two reads.
        return []
      }
    })
}
