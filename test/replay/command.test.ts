import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { replayResultSchema } from '#core/replay/replay-result.ts'

setDefaultTimeout(30_000)

const realIndex = 'node_modules/vega-datasets/data/sp500-2000.csv'

/** The command as a process of its own: exit code, output and errors are what a shell sees. */
async function backtest(args: readonly string[], input = '') {
  const script = join(import.meta.dir, 'backtest-process.ts')
  const child = Bun.spawn([process.execPath, script, ...args], {
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { code: await child.exited, out, err }
}

const flashCrash = ['--scenario', 'flash-crash']
const stored = ['--stored', '--symbol', 'SPX']

test.each([
  ['nothing', []],
  ['a scenario and a file', [...flashCrash, '--bars', 'x.csv']],
  ['a scenario that is none', ['--scenario', 'boredom']],
  ['a strategy that is none', [...flashCrash, '--strategy', 'hope']],
  ['a negative seed', [...flashCrash, '--seed', '-1']],
  ['a seed with a point', [...flashCrash, '--seed', '1.5']],
  ['no bars at all', [...flashCrash, '--bars-count', '0']],
  ['too many bars', [...flashCrash, '--bars-count', '100000001']],
  ['cash that is no amount', [...flashCrash, '--cash', '1e9']],
  ['no cash', [...flashCrash, '--cash', '0']],
  ['a VIX of nothing', [...flashCrash, '--vix', '0']],
  ['an interval of a scenario', [...flashCrash, '--interval', '1m']],
  ['an interval that is none', ['--bars', 'x.csv', '--interval', '0m']],
  ['a seed of a file', ['--bars', 'x.csv', '--seed', '1']],
  ['a symbol of a scenario', [...flashCrash, '--symbol', 'SPX']],
  ['a file and stored bars', ['--bars', 'x.csv', '--stored', '--symbol', 'SPX']],
  ['stored bars of no symbol', ['--stored']],
  ['a range of a file', ['--bars', 'x.csv', '--from', '2020-03-02']],
  ['a first day that is none', [...stored, '--from', '2020-02-30']],
  ['a last day that is none', [...stored, '--to', 'today']],
  ['a range that ends before it begins', [...stored, '--from', '2020-03-02', '--to', '2020-03-01']],
  ['a seed of stored bars', [...stored, '--seed', '1']],
  ['an unknown option', [...flashCrash, '--fast']],
])('asked for %s it explains its use and exits with 64', async (_name, args) => {
  const { code, out, err } = await backtest(args)
  expect({ code, out }).toEqual({ code: 64, out: '' })
  expect(err).toStartWith('error: ')
})

test('a file that is not there, and one that holds no bars, exit with 65 and say why', async () => {
  const missing = await backtest(['--bars', '/nowhere/bars.csv'])
  expect(missing).toMatchObject({ code: 65, out: '' })
  expect(missing.err).toContain('/nowhere/bars.csv')
  const bad = await backtest(
    ['--bars', '-'],
    'date,open,high,low,close,volume\n2024-03-04,1,2,3,1,1\n',
  )
  expect(bad).toMatchObject({ code: 65, out: '' })
  expect(bad.err).toContain('line 2, column high: must not be below low')
})

test('the same seed gives the same JSON to the byte, and the seed is printed', async () => {
  const args = [...flashCrash, '--seed', '7', '--strategy', 'momentum', '--json', '-']
  const [first, second] = await Promise.all([backtest(args), backtest(args)])
  expect(first.out).toBe(second.out)
  const result = replayResultSchema.parse(JSON.parse(first.out))
  expect(result).toMatchObject({ scenario: 'flash-crash', seed: 7, strategy: 'momentum' })
  const table = await backtest(flashCrash)
  expect(table.code).toBe(0)
  expect(table.out).toMatch(/seed \d+; bars sha256 [0-9a-f]{64}/)
  expect(table.out).not.toContain('\u001b')
})

test('JSON on standard output is whole, and alone there, for a reader that is slow', async () => {
  const main = join(import.meta.dir, '../../main.ts')
  const args = [main, 'backtest', ...flashCrash, '--seed', '7', '--strategy', 'momentum', '--json']
  const quoted = [process.execPath, ...args, '-'].map((word) => `'${word}'`).join(' ')
  // A shell reads a pipe byte by byte.
  const reader = `while IFS= read -r line; do printf '%s\\n' "$line"; done`
  const child = Bun.spawn(['sh', '-c', `${quoted} | ${reader}`])
  const out = await child.stdout.text()
  expect(out.length).toBeGreaterThan(65_536)
  expect(replayResultSchema.parse(JSON.parse(out)).seed).toBe(7)
})

test('writes JSON, a page and a picture beside the table', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'backtest-'))
  try {
    const at = (name: string) => join(folder, name)
    const files = ['--json', at('a.json'), '--report', at('a.html'), '--svg', at('a.svg')]
    const { code, out } = await backtest(['--scenario', 'breaker-2', '--seed', '3', ...files])
    expect(code).toBe(0)
    expect(out).toContain('L2')
    const json = replayResultSchema.parse(await Bun.file(at('a.json')).json())
    expect(json.halts.listed.map(({ kind }) => kind)).toEqual(['L1', 'L2'])
    expect(await Bun.file(at('a.html')).text()).toStartWith('<!doctype html>')
    expect(await Bun.file(at('a.svg')).text()).toStartWith(
      '<svg xmlns="http://www.w3.org/2000/svg"',
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the real index halts on the four days of March 2020, and on no other since 2000', async () => {
  const { out } = await backtest(['--bars', realIndex, '--index', '--symbol', 'SPX', '--json', '-'])
  const { halts, bars } = replayResultSchema.parse(JSON.parse(out))
  expect(bars).toBe(5_105)
  expect(halts.listed.map(({ kind, from }) => `${kind} ${from.slice(0, 10)}`)).toEqual([
    'L1 2020-03-09',
    'L1 2020-03-12',
    'L1 2020-03-16',
    'L1 2020-03-18',
  ])
})
