// `ci/generate-client`: client/operations.ts from the document that a gateway of this tree serves.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { operationsText } from './client/operations-text.ts'

const root = join(import.meta.dir, '..')
const path = join(root, 'client', 'operations.ts')

const help = `usage: ci/generate-client [--check | --help]

Starts \`postern up\` in a folder of its own, reads /openapi.json and writes client/operations.ts.
--check writes nothing and fails when the file would change.

Exit codes: 0 done, or nothing differs; 1 it differs, or the gateway did not start; 64 wrong use.
`

/** The first start makes a database. */
const startMsMax = 60_000

async function main([option, ...rest]: readonly string[]): Promise<number> {
  if (option === '--help' || option === '-h') {
    process.stdout.write(help)
    return 0
  }
  if (rest.length > 0 || (option !== undefined && option !== '--check')) {
    process.stderr.write(help)
    return 64
  }
  const text = operationsText(await readDocument())
  const isSame = text === (await Bun.file(path).text())
  if (option === '--check') {
    if (!isSame)
      process.stderr.write('client/operations.ts is not as ci/generate-client makes it\n')
    return isSame ? 0 : 1
  }
  await Bun.write(path, text)
  process.stdout.write(`client/operations.ts: ${isSame ? 'as it was' : 'written'}\n`)
  return 0
}

async function readDocument(): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-client-'))
  const port = await freePort()
  const child = Bun.spawn(
    [process.execPath, join(root, 'main.ts'), 'up', '--port', String(port), '--data', folder],
    { cwd: folder, env: { PATH: '/usr/bin:/bin' }, stdin: 'ignore', stdout: 'pipe' },
  )
  const late = setTimeout(() => child.kill('SIGKILL'), startMsMax)
  try {
    await firstOutput(child.stdout)
    const answer = await fetch(`http://127.0.0.1:${port}/openapi.json`)
    return await answer.json()
  } finally {
    clearTimeout(late)
    child.kill('SIGTERM')
    await child.exited
    await rm(folder, { recursive: true })
  }
}

/** Its welcome, which it prints once it listens. */
async function firstOutput(stdout: ReadableStream<Uint8Array>): Promise<void> {
  const { done } = await stdout.getReader().read()
  if (done) throw new Error('`postern up` ended before it listened')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

process.exitCode = await main(process.argv.slice(2))
