import { readFile } from 'node:fs/promises'
import { type AccessRules, parseAccessFile } from '#core/access/access-file.ts'
import { type Config, ConfigError } from '#core/config.ts'

/** The rules of the configured access file, or of `path`; throws `ConfigError`. */
export async function loadAccessRules(config: Config, path?: string): Promise<AccessRules> {
  const file = path ?? config.POSTERN_ACCESS_FILE
  if (file === undefined) {
    throw new ConfigError(['POSTERN_ACCESS_FILE: not set; name the access file'])
  }
  return parseAccessFile(await readAccessText(file), config.POSTERN_MODE)
}

async function readAccessText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    // biome-ignore lint/style/useErrorCause: ConfigError takes no cause; the code says it all.
    throw new ConfigError([`${path}: ${code}`])
  }
}
