/**
 * Publishes to a real S3 API with object lock (moto's server) and attacks what is published. Needs
 * python3 with venv; the server is installed once, into node_modules/.cache. `bun test` of two
 * files of this folder, with its exit code; 69 where it cannot be told.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, runCommand, startServer } from '#test/support/server-process.ts'

const moto = 'moto[server]==5.2.1'
const root = join(import.meta.dir, '../../..')
const venv = join(root, 'node_modules/.cache', moto.replaceAll(/[^a-z0-9.]+/g, '-'))
const python = join(venv, 'bin/python3')
const server = join(venv, 'bin/moto_server')
const unavailable = 69

async function install(): Promise<void> {
  if (existsSync(server)) return
  process.stdout.write(`installing ${moto} into ${venv}\n`)
  // An installation that was cut short is not gone on with.
  await rm(venv, { recursive: true, force: true })
  await runCommand(['python3', '-m', 'venv', venv])
  await runCommand([python, '-m', 'pip', 'install', '--quiet', moto])
}

async function check(): Promise<number> {
  const port = await freePort()
  const started = await startServer({
    // By the interpreter: a script's first line names the path that the folder had once.
    command: [python, '-m', 'moto.server', '--host', '127.0.0.1', '--port', String(port)],
    ready: /Running on/,
  })
  const files = ['s3-tile-store.ts', 'hostile-objects.ts'].map((name) =>
    join(import.meta.dir, name),
  )
  const child = Bun.spawn([process.execPath, 'test', ...files], {
    cwd: root,
    env: {
      ...process.env,
      POSTERN_TEST_S3: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
    },
    stdout: 'inherit',
    stderr: 'inherit',
  })
  try {
    return await child.exited
  } finally {
    await started.stop('SIGTERM')
  }
}

try {
  await install()
  process.exitCode = await check()
} catch (error) {
  process.stdout.write(`cannot tell: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = unavailable
}
