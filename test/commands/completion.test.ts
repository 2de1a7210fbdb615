import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runPostern } from './run-postern.ts'
import { openTerminal } from './terminal.ts'

setDefaultTimeout(60_000)

const shells = ['bash', 'zsh', 'fish'] as const
const isThere = (shell: string) => Bun.which(shell) !== null
for (const shell of shells.filter((each) => !isThere(each))) {
  process.stderr.write(`${shell} is not installed: its completion is NOT tested\n`)
}

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-completion-'))
  await writeFile(join(folder, 'access.json'), '{}')
  await writeFile(join(folder, 'two words.json'), '{}')
  await mkdir(join(folder, 'state'))
  for (const shell of shells) {
    const { code, out, error } = await runPostern(['completion', shell], { folder, settings: {} })
    expect({ code, error }).toEqual({ code: 0, error: '' })
    await writeFile(join(folder, `script.${shell}`), out)
  }
})

afterAll(() => rm(folder, { recursive: true }))

async function run(command: readonly string[]): Promise<readonly string[]> {
  const env = { PATH: '/usr/bin:/bin', HOME: folder, LC_ALL: 'C.UTF-8' }
  const child = Bun.spawn([...command], { cwd: folder, env, stdout: 'pipe', stderr: 'pipe' })
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect(error).toBe('')
  return out.split('\n').filter((line) => line !== '')
}

/** What fish offers for a line, which it says itself. */
async function askFish(line: string): Promise<readonly string[]> {
  const script = `source script.fish; complete -C ${JSON.stringify(line)}`
  const offers = await run(['fish', '--no-config', '-c', script])
  return offers.map((offer) => offer.split('\t')[0] ?? '')
}

/** What the function makes of the words as bash hands them over, cut at each `=`. */
async function askBash(line: string): Promise<readonly string[]> {
  const words = line.split(' ').flatMap((word) => word.split(/(=)/).filter((part) => part !== ''))
  if (line.endsWith(' ')) words.push('')
  const script = `source script.bash; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
    COMP_CWORD=${words.length - 1}; _postern; printf '%s\\n' "\${COMPREPLY[@]}"`
  return await run(['bash', '--norc', '-c', script])
}

const asked: readonly (readonly [string, readonly string[]])[] = [
  ['postern sec', ['secrets']],
  ['postern secrets rot', ['rotate']],
  ['postern secrets rotate --w', ['--wait']],
  ['postern secrets rotate --wait 5 --j', ['--json']],
  ['postern secrets rotate --wait ', []],
  ['postern witness keygen --type ', ['log', 'witness']],
  ['postern drift list --state=re', ['resolved']],
  ['postern access check acc', ['access.json']],
  ['postern audit verify --policy tw', ['two words.json']],
  ['postern up --data st', ['state/']],
  ['postern healthcheck rot', ['rotator']],
  ['postern help secrets set', ['set-rotation']],
  ['postern help set', ['settings']],
  ['postern help settings POSTERN_REDIS_C', ['POSTERN_REDIS_CA_FILE', 'POSTERN_REDIS_CLUSTER']],
  ['postern completion z', ['zsh']],
  ['postern nothing-of-that-kin', []],
]

/** As a shell adds it: to a folder a slash, before `=` the option, and what is to be escaped. */
const bare = (offers: readonly string[]) =>
  offers
    .map((offer) =>
      offer
        .replace(/^--\w+=/, '')
        .replaceAll('\\', '')
        .replace(/\/$/, ''),
    )
    .toSorted()

test.if(isThere('bash')).each(asked)('bash completes `%s` with %j', async (line, wanted) => {
  expect(bare(await askBash(line))).toEqual(bare(wanted))
})

test.if(isThere('fish')).each(asked)('fish completes `%s` with %j', async (line, wanted) => {
  expect(bare(await askFish(line))).toEqual(bare(wanted))
})

/** Typed at a terminal, with the tabulator; what follows is then on the line. */
const typed: readonly (readonly [string, RegExp])[] = [
  ['postern sec', /postern secrets /],
  ['postern secrets rotate --w', /postern secrets rotate --wait /],
  ['postern drift list --state=re', /--state=resolved/],
  ['postern access check acc', /postern access check access\.json/],
  ['postern audit verify --policy tw', /--policy two\\ words\.json/],
  ['postern up --data st', /postern up --data state\//],
  ['postern help settings POSTERN_ALPACA_U', /POSTERN_ALPACA_URL/],
]

const interactive = {
  bash: { command: ['bash', '--norc', '--noprofile', '-i'], setup: '' },
  zsh: {
    command: ['zsh', '-f', '-i'],
    setup: 'autoload -Uz compinit; compinit -u -d "$HOME/dump"; ',
  },
} as const

test.if(isThere('bash') && isThere('zsh')).each(Object.entries(interactive))(
  'at a terminal of %s the tabulator completes',
  async (shell, { command, setup }) => {
    const env = { PATH: '/usr/bin:/bin', HOME: folder, TERM: 'dumb', LC_ALL: 'C.UTF-8', PS1: '' }
    const terminal = openTerminal(command, { cwd: folder, env })
    // The answer is not in what is echoed of the line.
    terminal.type(`${setup}source ./script.${shell} && echo re''ady\r`)
    await terminal.shown(/ready/)
    for (const [line, wanted] of typed) {
      terminal.type(`${line}\t`)
      await terminal.shown(wanted)
      // Away with the line.
      terminal.type("\u0015echo do''ne\r")
      await terminal.shown(/done/)
    }
    await terminal.close()
  },
)

test('zsh offers descriptions, and completes from a folder of its functions too', async () => {
  if (!isThere('zsh')) return
  const text = await Bun.file(join(folder, 'script.zsh')).text()
  expect(text).toStartWith('#compdef postern\n')
  expect(text).toContain("'rotate:give a secret its next version, while everything goes on'")
})

test('a shell that is none is a mistake of use', async () => {
  const { code, out } = await runPostern(['completion', 'tcsh'], { folder, settings: {} })
  expect({ code, out }).toEqual({ code: 64, out: '' })
})
