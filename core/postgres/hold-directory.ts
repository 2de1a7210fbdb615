import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../config.ts'

export type DirectoryHold = { release(): Promise<void> }

/** Two tries: one may find a file whose process is gone, the next must then succeed. */
const triesMax = 2

/**
 * Holds a directory for this process by a file with its pid. A file whose process is gone is taken
 * over. Throws `ConfigError` when the other process lives.
 */
export async function holdDirectory(directory: string): Promise<DirectoryHold> {
  const path = join(directory, 'postern.pid')
  for (let tries = 0; tries < triesMax; tries += 1) {
    if (await createExclusively(path)) return { release: () => rm(path, { force: true }) }
    const pid = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10)
    if (isAlive(pid)) throw held(directory, pid)
    await rm(path, { force: true })
  }
  throw held(directory, undefined)
}

async function createExclusively(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** A container's pids begin anew: our own number in the file is a predecessor's. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function held(directory: string, pid: number | undefined): ConfigError {
  const who = pid === undefined ? 'another process' : `process ${pid}`
  return new ConfigError([
    `POSTERN_DATA_DIRECTORY: ${directory} is in use by ${who}; stop it, or choose another with --data`,
  ])
}
