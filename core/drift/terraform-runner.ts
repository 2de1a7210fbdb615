import { chmodSync, rmSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { PosternError } from '../errors.ts'
import { boundedBytes } from './bounded-bytes.ts'
import { planBytesMax } from './read-plan.ts'

/** Milliseconds for all of it: a refresh of some thousand resources, and a lock that is waited for. */
const runMsMax = 840_000
/** Milliseconds after which a Terraform that was asked to stop, and to give its lock back, is killed. */
const stopMsMax = 20_000
/** Magic of tmpfs (statfs(2)): what is written there meets no disk. */
const tmpfsType = 0x0102_1994
const folderPrefix = 'postern-drift-'

/**
 * What a Terraform is given of the environment. Not in it: TF_LOG, which writes credentials;
 * TF_CLI_ARGS, which adds arguments; our own settings.
 */
const passedNames =
  /^(?:PATH|HOME|LANG|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|NO)_PROXY|TF_CLI_CONFIG_FILE|TF_PLUGIN_CACHE_DIR|TF_VAR_[A-Za-z0-9_]+|AWS_(?:REGION|DEFAULT_REGION|ROLE_ARN|ROLE_SESSION_NAME|WEB_IDENTITY_TOKEN_FILE|CONTAINER_[A-Z_]+|CA_BUNDLE|STS_REGIONAL_ENDPOINTS|PROFILE|CONFIG_FILE|SHARED_CREDENTIALS_FILE|EC2_METADATA_[A-Z_]+))$/
/** For a test server; `parseConfig` refuses them in production. */
const developmentNames = /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/

export type Environment = Readonly<Record<string, string | undefined>>

export type TerraformOptions = {
  /** A root module; it may be mounted read-only. */
  readonly workspace: string
  readonly environment: Environment
  readonly mode: 'production' | 'development'
  /** Where plans are written: a tmpfs. */
  readonly scratch: string
  readonly signal: AbortSignal
}

/**
 * Makes a plan of a workspace and returns its JSON, whatever Terraform's exit code: a plan that
 * failed half way says so itself. Files have mode 0600 in a directory of mode 0700 and are removed
 * in every case; what Terraform prints is read by nobody. Throws `drift.terraform_missing` at once,
 * `drift.terraform_failed` where there is no plan, and `PlanRefused` for too long a one.
 */
export async function terraformPlan(options: TerraformOptions): Promise<Uint8Array> {
  const { workspace, environment, scratch } = options
  const binary = Bun.which('terraform', { PATH: environment['PATH'] ?? '' })
  if (binary === null) {
    const detail =
      'There is no terraform on PATH; the image’s target `drift` has one, the default image has none.'
    throw new PosternError('drift.terraform_missing', { detail })
  }
  await refuseWorkspace(workspace)
  await refuseDisk(options)
  await removeLeftovers(scratch)
  const folder = await mkdtemp(join(scratch, `${folderPrefix}${process.pid}-`))
  const removeNow = () => rmSync(folder, { recursive: true, force: true })
  // A second signal ends the process without another look at what stands below.
  process.once('exit', removeNow)
  try {
    // mkdtemp makes it so already, but for an odd umask.
    chmodSync(folder, 0o700)
    return await planIn(folder, binary, options)
  } finally {
    process.off('exit', removeNow)
    await rm(folder, { recursive: true, force: true })
  }
}

async function refuseWorkspace(workspace: string): Promise<void> {
  const isDirectory = await stat(workspace).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isDirectory) return
  const detail = 'POSTERN_DRIFT_WORKSPACE names no directory.'
  throw new PosternError('drift.not_configured', { detail })
}

/** A plan holds passwords in clear text. */
async function refuseDisk({ scratch, mode }: TerraformOptions): Promise<void> {
  const found = await statfs(scratch).catch(() => undefined)
  if (found?.type === tmpfsType || (found !== undefined && mode === 'development')) return
  const detail = `${scratch} is no tmpfs; mount one there: plans hold passwords in clear text.`
  throw new PosternError('drift.not_configured', { detail })
}

/** Of processes that were killed. */
async function removeLeftovers(scratch: string): Promise<void> {
  for (const name of await readdir(scratch)) {
    const [, pid] = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name) ?? []
    if (pid === undefined || Number(pid) === process.pid || isAlive(Number(pid))) continue
    // Somebody else's stays.
    await rm(join(scratch, name), { recursive: true, force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function planIn(
  folder: string,
  binary: string,
  options: TerraformOptions,
): Promise<Uint8Array> {
  const { workspace } = options
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(runMsMax)])
  const isPrepared = await stat(join(workspace, '.terraform/providers')).then(
    () => true,
    () => false,
  )
  const env = {
    ...allowed(options),
    ...{ TF_IN_AUTOMATION: '1', TF_INPUT: '0', CHECKPOINT_DISABLE: '1', TMPDIR: folder },
    TF_DATA_DIR: isPrepared ? join(workspace, '.terraform') : join(folder, 'data'),
  }
  const run = { binary, workspace, env, signal }
  if (!isPrepared) {
    const code = await runTerraform(run, ['init', '-input=false', '-lockfile=readonly'])
    if (code !== 0) throw failed('init', code)
  }
  const file = join(folder, 'plan')
  const code = await runTerraform(run, [
    ...['plan', '-input=false', '-lock-timeout=60s', '-no-color', `-out=${file}`],
  ])
  // Never the exit code: a plan that ended with an error is there, and says so.
  if (!(await Bun.file(file).exists())) throw failed('plan', code)
  return await showPlan(run, file)
}

function allowed({ environment, mode }: TerraformOptions): Readonly<Record<string, string>> {
  const isPassed = (name: string) =>
    passedNames.test(name) || (mode === 'development' && developmentNames.test(name))
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && isPassed(name) ? [[name, value]] : [],
    ),
  )
}

type Run = {
  readonly binary: string
  readonly workspace: string
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Its output may hold credentials: nobody reads it. */
async function runTerraform(run: Run, args: readonly string[]): Promise<number> {
  const child = startTerraform(run, args, 'ignore')
  return await untilEnd(child, run.signal)
}

async function showPlan(run: Run, file: string): Promise<Uint8Array> {
  const child = startTerraform(run, ['show', '-json', file], 'pipe')
  const ended = untilEnd(child, run.signal)
  try {
    const bytes = await boundedBytes(child.stdout, 'plan.json', planBytesMax)
    const code = await ended
    if (code !== 0) throw failed('show', code)
    return bytes
  } catch (error) {
    child.kill('SIGKILL')
    await ended.catch(() => undefined)
    throw error
  }
}

/** What it makes may be read by nobody else; a child begins with its parent's mask. */
function startTerraform<Out extends 'ignore' | 'pipe'>(
  { binary, workspace, env, signal }: Run,
  args: readonly string[],
  stdout: Out,
) {
  signal.throwIfAborted()
  const mask = process.umask(0o077)
  try {
    const command = [binary, `-chdir=${workspace}`, ...args]
    return Bun.spawn(command, { env, stdin: 'ignore', stdout, stderr: 'ignore' })
  } finally {
    process.umask(mask)
  }
}

/** Asked to stop it gives back its lock; who does not listen is killed. */
async function untilEnd(
  child: Pick<Bun.Subprocess, 'exited' | 'kill'>,
  signal: AbortSignal,
): Promise<number> {
  let killing: Timer | undefined
  const stop = () => {
    child.kill('SIGINT')
    killing ??= setTimeout(() => child.kill('SIGKILL'), stopMsMax)
  }
  signal.addEventListener('abort', stop)
  try {
    const code = await child.exited
    signal.throwIfAborted()
    return code
  } finally {
    clearTimeout(killing)
    signal.removeEventListener('abort', stop)
  }
}

function failed(act: string, code: number): PosternError {
  const detail =
    `terraform ${act} ended with exit code ${code} and made no plan. What it printed may hold ` +
    'credentials and is not kept: run it by hand in the workspace.'
  return new PosternError('drift.terraform_failed', { detail })
}
