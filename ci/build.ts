// Compiles main.ts into one executable, and client/ into one module beside it. What the flags are
// for, and what they cannot do:
//
// --no-compile-autoload-*   A compiled Bun reads `.env` and runs the `preload` of a `bunfig.toml`
//                           from its working directory; ours reads neither.
// --compile-exec-argv       `BUN_OPTIONS=--preload=…` and BUN_INSPECT then end with an error, as do
//                           eval, `new Function` and import() of code that is not in the binary.
//                           `=strict` needs its `=`: after a space it is silently ignored. zod
//                           notices and does without its generated parsers. No native addons:
//                           they would be unpacked into /tmp at each start.
// --bytecode                35 ms instead of 115 ms from exec to `--version`, for 7 MB.
// --sourcemap               Traces that name our files; the copy beside the binary stays here.
// --define=__dirname        In a CommonJS package it is otherwise the folder on the machine that
//                           builds: another binary in each folder, and a place from which that
//                           package might load code. Nothing is there where the binary runs.
//
// No flag closes BUN_BE_BUN (the binary is then the bun command) and LD_PRELOAD: both act before
// our first line. commands/environment-guard.ts refuses the other names; a deployment must not let
// anybody set these. Never `strip` the binary: that leaves a plain Bun.
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundleConsole } from '../gateway/bundle-console.ts'

const root = join(import.meta.dir, '..')

const usage = `Usage: npm run build -- [--target bun-linux-arm64] [--commit HASH] [--outfile PATH]
`

function options() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      commit: { type: 'string' },
      outfile: { type: 'string', default: join(root, 'dist', 'postern') },
      help: { type: 'boolean', default: false },
    },
  })
  return values
}

/** The commit that is built; a changed tree is not that commit. */
function describeCommit(): string {
  const git = Bun.spawnSync(['git', 'describe', '--always', '--dirty', '--exclude=*'], {
    cwd: root,
    stderr: 'ignore',
  })
  return git.success ? git.stdout.toString().trim() : 'unknown'
}

/** For whoever has no TypeScript: Node, browsers without a bundler. */
async function buildClient(outdir: string): Promise<boolean> {
  const entrypoints = [join(root, 'client', 'postern-client.ts')]
  return (await Bun.build({ entrypoints, outdir, target: 'browser', format: 'esm' })).success
}

async function build(): Promise<number> {
  const { target, commit, outfile, help } = options()
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  const browser = await bundleConsole()
  const command = [
    ...[process.execPath, 'build', '--compile', '--minify', '--sourcemap'],
    ...['--bytecode', '--format=esm'],
    ...['--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig'],
    '--compile-exec-argv=--disallow-code-generation-from-strings=strict --no-addons',
    `--define=POSTERN_COMMIT=${JSON.stringify(commit ?? describeCommit())}`,
    `--define=POSTERN_CONSOLE_SCRIPT=${JSON.stringify(browser.script)}`,
    `--define=POSTERN_CONSOLE_STYLE=${JSON.stringify(browser.style)}`,
    ...['--define=__dirname="/postern"', '--define=__filename="/postern/packed"'],
    ...(target === undefined ? [] : [`--target=${target}`]),
    // A thread's file is an entry point of its own, behind the one that is started.
    ...['--outfile', outfile, 'main.ts', 'core/audit/verify/part-thread.ts'],
  ]
  const { success } = Bun.spawnSync(command, { cwd: root, stdout: 'ignore', stderr: 'inherit' })
  if (!success || !(await buildClient(dirname(outfile)))) return 1
  const bytes = await Bun.file(outfile).bytes()
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  process.stdout.write(`${outfile}\n${(bytes.length / 1e6).toFixed(1)} MB, sha256 ${sha256}\n`)
  return 0
}

process.exit(await build())
