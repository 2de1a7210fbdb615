import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'

export async function writeKeyFile(path: string, mode = 0o400): Promise<void> {
  await writeFile(path, `${randomBytes(32).toString('base64url')}\n`, { mode })
}
