import { existsSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Microseconds: short, so that a quota that is used up stops nobody for long. */
const periodMicros = 20_000

/** Where control groups of the second and the first kind are. */
const unified = '/sys/fs/cgroup/cgroup.controllers'
const firstKind = '/sys/fs/cgroup/cpu'

export type HeldCpu = {
  /** Goes before a command, which then runs inside. */
  readonly prefix: readonly string[]
  release(): Promise<void>
}

/** A control group whose processes share so many cores; needs root. */
export async function holdCpu(cpus: number): Promise<HeldCpu> {
  const quota = Math.round(cpus * periodMicros)
  const name = `postern-load-${process.pid}`
  const isUnified = existsSync(unified)
  const folder = join(isUnified ? '/sys/fs/cgroup' : firstKind, name)
  try {
    await mkdir(folder)
    if (isUnified) await writeFile(join(folder, 'cpu.max'), `${quota} ${periodMicros}`)
    else {
      await writeFile(join(folder, 'cpu.cfs_period_us'), String(periodMicros))
      await writeFile(join(folder, 'cpu.cfs_quota_us'), String(quota))
    }
  } catch (cause) {
    throw new Error(`no share of ${cpus} cores can be set here: ${cause}`, { cause })
  }
  // A shell enters before it becomes the command: none of its threads is ever outside.
  const enter = `echo $$ > ${folder}/cgroup.procs && exec "$@"`
  return {
    prefix: ['sh', '-c', enter, 'sh'],
    async release() {
      for (let tries = 0; tries < 50; tries += 1) {
        const isGone = await rmdir(folder).then(
          () => true,
          () => false,
        )
        if (isGone) return
        await Bun.sleep(100)
      }
    },
  }
}
