// Stops half way through a change of the secrets file, as one does that is killed there.
import { writeFile } from 'node:fs/promises'
import { lockFile } from '#core/secret/file-lock.ts'

const [secretFile = ''] = process.argv.slice(2)
const turn = await lockFile(`${secretFile}.lock`)
await writeFile(`${secretFile}.new`, 'half of', { mode: 0o600 })
process.stdout.write(turn === undefined ? 'another one holds it\n' : 'holds it\n')
await Bun.sleep(60_000)
