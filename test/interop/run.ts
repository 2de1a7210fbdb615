/**
 * Holds our log against the one of the Go checksum database, in both directions. One line per
 * check; exit 1 when one fails, 69 where it cannot be told. Needs `go`, which fetches the one module
 * of go.sum when its cache lacks it.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publishOurs } from './publish-ours.ts'
import { readTheirs } from './read-theirs.ts'

/** Around tiles, and past the third level of them. */
const sizes = [1, 2, 255, 256, 257, 600, 70_000]
const unavailable = 69

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Passes the program's lines on; its exit code. */
async function run(command: readonly string[], directory?: string): Promise<number> {
  const child = Bun.spawn([...command], {
    ...(directory === undefined ? {} : { cwd: directory }),
    // The compiler that is here or none: a check does not install one.
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' },
    stdout: 'inherit',
    stderr: 'inherit',
  })
  return await child.exited
}

async function check(scratch: string): Promise<number> {
  const program = join(scratch, 'interop')
  if (Bun.which('go') === null) {
    say('cannot tell: go is not on the PATH; see https://go.dev/doc/install')
    return unavailable
  }
  if ((await run(['go', 'build', '-o', program, '.'], import.meta.dir)) !== 0) {
    say('cannot tell: test/interop does not build')
    return unavailable
  }
  const [ours, theirs] = [join(scratch, 'ours'), join(scratch, 'theirs')]
  await mkdir(theirs)
  await publishOurs(ours, sizes)
  if ((await run([program, 'read', ours])) !== 0) return 1
  if ((await run([program, 'write', theirs, ...sizes.map(String)])) !== 0) return 1
  const claims = await readFile(join(theirs, 'claims.json'), 'utf8')
  await readTheirs(theirs, claims, (what) => say(`ok postern: ${what}`))
  return 0
}

const scratch = await mkdtemp(join(tmpdir(), 'postern-interop-'))
try {
  process.exitCode = await check(scratch)
} catch (error) {
  say(`FAILED postern: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  await rm(scratch, { recursive: true, force: true })
}
