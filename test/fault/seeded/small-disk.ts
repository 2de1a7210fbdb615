import { mkdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '#test/support/server-process.ts'

/** Room for a small database, and soon full. */
const sizeMiB = 160
const fillMiB = 1

/** A file system of its own in memory, which can be filled. */
export type SmallDisk = {
  readonly path: string
  fill(): Promise<void>
  free(): Promise<void>
  close(): Promise<void>
}

/** Undefined where this process may not mount one. */
export async function openSmallDisk(folder: string): Promise<SmallDisk | undefined> {
  const path = join(folder, 'disk')
  const filler = join(path, 'filler')
  await mkdir(path)
  try {
    await runCommand(['mount', '-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0777`, 'tmpfs', path])
  } catch {
    return undefined
  }
  // However this process ends, the mount does not outlive it.
  process.once('exit', () => Bun.spawnSync(['umount', '--lazy', path]))
  return {
    path,
    async fill() {
      const { bavail, bsize } = await statfs(path)
      const mebibytes = Math.ceil((bavail * bsize) / 1_048_576) + fillMiB
      // It ends with an error, which is what it is for.
      const command = ['dd', 'if=/dev/zero', `of=${filler}`, 'bs=1M', `count=${mebibytes}`]
      await Bun.spawn(command, { stdout: 'ignore', stderr: 'ignore' }).exited
    },
    free: () => rm(filler, { force: true }),
    async close() {
      await Bun.spawn(['umount', '--lazy', path], { stderr: 'ignore' }).exited
    },
  }
}
