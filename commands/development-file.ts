import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const fileMode = 0o600

/** The file's text, made at the first call and readable by its owner alone. */
export async function keepDevelopmentFile(path: string, make: () => string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await writeFile(path, `${make()}\n`, { flag: 'wx', mode: fileMode })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    await chmod(path, fileMode)
  }
  return await readFile(path, 'utf8')
}
