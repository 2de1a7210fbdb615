import { join } from 'node:path'

const main = join(import.meta.dir, '../../main.ts')

/** `postern` as tests start it: the binary that the gate has built, which starts faster, else our source. */
export const posternCommand: readonly string[] =
  process.env['TEST_POSTERN_BINARY'] === undefined
    ? [process.execPath, main]
    : [process.env['TEST_POSTERN_BINARY']]
