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
  /** From now on. */
  limit(cpus: number): Promise<void>
  release(): Promise<void>
}

/** A control group whose processes share some cores once it is limited; needs root. */
export async function holdCpu(): Promise<HeldCpu> {
  const name = `postern-load-${process.pid}`
  const isUnified = existsSync(unified)
  const folder = join(isUnified ? '/sys/fs/cgroup' : firstKind, name)
  try {
    await mkdir(folder)
  } catch (cause) {
    throw new Error('no share of the cores can be set here: that needs root', { cause })
  }
  // A shell enters before it becomes the command: none of its threads is ever outside.
  const enter = `echo $$ > ${folder}/cgroup.procs && exec "$@"`
  return {
    prefix: ['sh', '-c', enter, 'sh'],
    async limit(cpus) {
      const quota = Math.round(cpus * periodMicros)
      if (isUnified) return await writeFile(join(folder, 'cpu.max'), `${quota} ${periodMicros}`)
      await writeFile(join(folder, 'cpu.cfs_period_us'), String(periodMicros))
      await writeFile(join(folder, 'cpu.cfs_quota_us'), String(quota))
    },
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
