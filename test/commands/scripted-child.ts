// What the supervisor starts in its tests in place of the binary: does what the folder says.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { terminated } from '../../commands/process-life.ts'

const part = process.argv[2] ?? ''
const folder = process.env['POSTERN_DATA_DIRECTORY'] ?? '.'
const note = (line: string) => appendFileSync(join(folder, `${part}.log`), `${line}\n`)

const script = readFileSync(join(folder, part), 'utf8')
void terminated().then((signal) => {
  note(signal)
  if (script === 'drain') process.exit(0)
  if (script === 'drain badly') process.exit(1)
})
note(`started ${process.pid} ${Object.keys(process.env).sort().join(',')}`)
if (script.startsWith('exit ')) process.exit(Number(script.slice('exit '.length)))
setInterval(() => undefined, 60_000)
