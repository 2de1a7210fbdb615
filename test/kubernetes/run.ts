/**
 * Asks deploy/kubernetes/policy/admission.yaml as Kubernetes does, over the pods of our overlays and over
 * those that it has to refuse. One line per version; exit 1 when one fails, 69 where it cannot be told.
 * Needs `go`, which builds Kubernetes' own libraries once: minutes.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Rendered {
  readonly name: string
}
interface Manifests {
  writeManifests(rendered: readonly Rendered[], folder: string): string[]
}
interface Render {
  readonly overlays: readonly string[]
  renderAll(): Promise<{ rendered: Rendered[]; findings: { text: string }[] }>
}

// By names that are put together: TypeScript has no types for what Node runs.
const load = (name: string) =>
  import(join(import.meta.dir, '../../ci/infrastructure', `${name}.mjs`))

const unavailable = 69

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function run(command: readonly string[], directory: string): Promise<number> {
  const child = Bun.spawn([...command], {
    cwd: directory,
    // The compiler that is here or none: a check does not install one.
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' },
    stdout: 'inherit',
    stderr: 'inherit',
  })
  return await child.exited
}

async function check(scratch: string): Promise<number> {
  const { overlays, renderAll }: Render = await load('render')
  const { writeManifests }: Manifests = await load('manifests')
  if (Bun.which('go') === null) {
    say('cannot tell: go is not on the PATH; see https://go.dev/doc/install')
    return unavailable
  }
  const { rendered, findings } = await renderAll()
  if (findings.length > 0) {
    for (const { text } of findings) say(`FAILED: ${text}`)
    return 1
  }
  const program = join(scratch, 'kubernetes')
  if ((await run(['go', 'build', '-o', program, '.'], import.meta.dir)) !== 0) {
    say('cannot tell: test/kubernetes does not build')
    return unavailable
  }
  const paths = writeManifests(rendered, scratch)
  const policy = join(scratch, 'policy.yaml')
  const ours = paths.filter((path) => path !== policy)
  if (ours.length !== overlays.length) throw new Error('not every overlay is rendered')
  return (await run([program, policy, ...ours], scratch)) === 0 ? 0 : 1
}

const scratch = await mkdtemp(join(tmpdir(), 'postern-kubernetes-'))
try {
  process.exitCode = await check(scratch)
} catch (error) {
  say(`FAILED: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  await rm(scratch, { recursive: true, force: true })
}
