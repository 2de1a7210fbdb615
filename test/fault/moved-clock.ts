import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeAtExit } from '#test/support/server-process.ts'

const libraries = '/usr/lib'
const library = 'faketime/libfaketime.so.1'

/** A clock for a server to start with; from then on it shows what it was last set to. */
export type MovedClock = {
  readonly environment: Readonly<Record<string, string>>
  /** It shows this second, until it is set again. */
  stop(at: Date): Promise<void>
  /** It goes on from this second. */
  run(from: Date): Promise<void>
}

/** Undefined where libfaketime is not installed. */
export async function movedClock(): Promise<MovedClock | undefined> {
  const preload = await findLibrary()
  if (preload === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'postern-clock-'))
  removeAtExit(folder)
  await chmod(folder, 0o755)
  const file = join(folder, 'clock')
  /** A server that reads it meanwhile sees one of the two. */
  async function write(text: string): Promise<void> {
    await writeFile(`${file}.next`, `${text}\n`)
    await rename(`${file}.next`, file)
  }
  await write('+0')
  return {
    environment: {
      TZ: 'UTC',
      LD_PRELOAD: preload,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      // Waits of the server stay as long as they are.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DISABLE_SHM: '1',
    },
    stop: (at) => write(at.toISOString().slice(0, 19).replace('T', ' ')),
    run: (from) => {
      const seconds = Math.round((from.getTime() - Date.now()) / 1_000)
      return write(seconds < 0 ? `${seconds}` : `+${seconds}`)
    },
  }
}

async function findLibrary(): Promise<string | undefined> {
  const folders = existsSync(libraries) ? await readdir(libraries) : []
  return folders.map((folder) => join(libraries, folder, library)).find((path) => existsSync(path))
}
