import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

const folder = join(import.meta.dir, '../../../dist/load')

/** What Postern says on a stage, beside the reports: an overloaded gateway tells each refusal. */
export async function emptyLog(): Promise<Bun.BunFile> {
  const log = Bun.file(join(folder, 'postern.log'))
  await mkdir(folder, { recursive: true })
  // A process writes from the start of the file: of an earlier run nothing may stand behind.
  await log.write('')
  return log
}
