import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, removeAtExit, runCommand, startServer } from '#test/support/server-process.ts'

const moto = 'moto[server]==5.2.5'
const root = join(import.meta.dir, '../..')
export const fixtures = join(root, 'policy/fixtures/drift')

export type DriftStage = {
  readonly workspace: string
  /** What Terraform gets, and nothing else. */
  readonly environment: Readonly<Record<string, string>>
  /** Makes everything as it is configured. */
  apply(): Promise<void>
  /** Takes over into the state what providers only fill in later. */
  settle(): Promise<void>
  /** Somebody at the cloud's API. */
  byHand(act: 'do' | 'undo', name: string): Promise<void>
  close(): Promise<void>
}

/** A small world on moto, made by a real Terraform; both are installed or found, never assumed. */
export async function openDriftStage(): Promise<DriftStage> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-fault-drift-'))
  removeAtExit(folder)
  const python = await installMoto(join(folder, 'venv'))
  const port = await freePort()
  const server = await startServer({
    command: [
      'env',
      'MOTO_IAM_LOAD_MANAGED_POLICIES=true',
      python,
      '-m',
      'moto.server',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
    ],
    ready: /Running on/,
  })
  const endpoint = `http://127.0.0.1:${port}`
  const workspace = join(folder, 'workspace')
  await mkdir(workspace)
  await copyFile(join(fixtures, 'main.tf'), join(workspace, 'main.tf'))
  const keys = { AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing' }
  const environment = {
    ...{ ...keys, PATH: process.env['PATH'] ?? '', HOME: folder, TF_VAR_endpoint: endpoint },
    TF_CLI_CONFIG_FILE: await mirrorFile(folder),
  }
  const terraform = (...args: readonly string[]) =>
    run(['terraform', `-chdir=${workspace}`, ...args], environment)
  await terraform('init', '-input=false')
  return {
    ...{ workspace, environment },
    apply: () => terraform('apply', '-input=false', '-auto-approve'),
    async settle() {
      await terraform('plan', '-input=false', '-refresh-only', '-out=settle')
      await terraform('apply', '-input=false', 'settle')
    },
    byHand: (act, name) =>
      run([python, join(import.meta.dir, 'drift-by-hand.py'), endpoint, act, name], environment),
    close: () => server.stop('SIGTERM'),
  }
}

async function installMoto(venv: string): Promise<string> {
  process.stdout.write(`installing ${moto}\n`)
  await runCommand(['python3', '-m', 'venv', venv])
  const python = join(venv, 'bin/python3')
  await runCommand([python, '-m', 'pip', 'install', '--quiet', moto])
  return python
}

/** Providers come from the mirror that the scripts of ci/ find, or from the registry. */
async function mirrorFile(folder: string): Promise<string> {
  const file = join(folder, 'terraform.tfrc')
  const found = Bun.spawnSync(['sh', '-c', '. ci/terraform-common.sh && find_mirror'], {
    cwd: root,
  })
  const mirror = found.stdout.toString().trim()
  const method =
    mirror === '' ? 'direct {}' : `filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }`
  await writeFile(file, `provider_installation {\n  ${method}\n}\n`)
  return file
}

async function run(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = Bun.spawn([...command], { env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, out, error] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${out}${error}`)
}
