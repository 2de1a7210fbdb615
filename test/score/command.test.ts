import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import sample from '#core/score/sample-trades.csv' with { type: 'text' }
import { walletScoreSchema } from '#core/score/wallet-score.ts'
import { sampleCsv } from './make-sample.ts'

setDefaultTimeout(30_000)

/** The command as a process of its own: exit code, output and errors are what a shell sees. */
async function score(args: readonly string[], input = '') {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'score-process.ts'), ...args], {
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { code: await child.exited, out, err }
}

const [header = '', ...rows] = sample.trimEnd().split('\n')
const withRow = (index: number, change: (cells: string[]) => void) =>
  [header, ...rows.map((row, at) => (at === index ? changed(row, change) : row))].join('\n')

function changed(row: string, change: (cells: string[]) => void): string {
  const cells = row.split(',')
  change(cells)
  return cells.join(',')
}

test.each([
  ['nothing', []],
  ['a file and the sample', ['x.csv', '--sample']],
  ['an unknown method', ['--sample', '--cost-basis', 'lifo']],
  ['an unknown version', ['--sample', '--algorithm', 'xorj-9']],
  ['a day that does not exist', ['--sample', '--end-date', '2025-02-30']],
  ['an unknown option', ['--sample', '--fast']],
])('asked for %s it explains its use and exits with 64', async (_name, args) => {
  const { code, out, err } = await score(args)
  expect({ code, out }).toEqual({ code: 64, out: '' })
  expect(err).toStartWith('error: ')
})

test.each([
  [
    'a negative amount',
    (cells: string[]) => cells.splice(5, 1, '-1'),
    /line 11, column amountIn: must not be negative/,
  ],
  [
    '10^40',
    (cells: string[]) => cells.splice(8, 1, `1${'0'.repeat(40)}`),
    /line 11, column usdOut: must have at most 20 digits/,
  ],
  [
    'a swap out of order',
    (cells: string[]) => cells.splice(2, 1, '2021-01-01T00:00:00Z'),
    /line 11, column time: is earlier/,
  ],
  [
    'a cell too many',
    (cells: string[]) => cells.push('9'),
    /line 11: has 12 columns, the first line 11/,
  ],
])(
  'a file with %s is refused by line and column and exits with 65',
  async (_name, change, expected) => {
    const { code, out, err } = await score(['-'], withRow(9, change))
    expect({ code, out }).toEqual({ code: 65, out: '' })
    expect(err).toMatch(expected)
  },
)

test('a file that is not there exits with 65 and says so', async () => {
  const { code, err } = await score(['/nowhere/trades.csv'])
  expect(code).toBe(65)
  expect(err).toBe('/nowhere/trades.csv: cannot be read (ENOENT)\n')
})

test('the sample is what its generator makes', () => {
  expect(sample).toBe(sampleCsv())
})

test('the sample gives scores, and one wallet for every reason not to have one', async () => {
  const { code, out, err } = await score(['--sample', '--json'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const { scores } = z.strictObject({ scores: z.array(walletScoreSchema) }).parse(JSON.parse(out))
  const statuses = Object.groupBy(scores, ({ status }) => status)
  expect(statuses.eligible?.filter(({ trustScore }) => trustScore !== null)).toHaveLength(21)
  expect(Object.keys(statuses).toSorted()).toEqual([
    ...['calculation_error', 'eligible', 'extreme_roi_spike'],
    ...['insufficient_history', 'insufficient_trades', 'no_data'],
  ])
})

test('the table is aligned, uncoloured where nobody sees it, and says why there is no score', async () => {
  const { code, out } = await score(['--sample'])
  expect(code).toBe(0)
  expect(out).not.toContain('\u001b')
  const lines = out.split('\n')
  const column = lines[0]?.indexOf('STATUS') ?? -1
  expect(lines.filter((line) => line.startsWith('eligible', column))).toHaveLength(21)
  expect(out).toMatch(/EXTREME_ROI_SPIKE: realised P&L of 2025-09-30/)
  expect(out).toMatch(/27 wallets, 21 eligible; xorj-1.0.0, fifo, 90 days to 2025-09-30/)
})

test('a file, standard input and the sample give the same, and so do the rows as JSON', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-score-'))
  const names = header.split(',')
  const lines = rows.map((row) => {
    const cells = row.split(',').map((cell, at) => [names[at] ?? '', cell] as const)
    const members = cells.filter(([, cell]) => cell !== '')
    return JSON.stringify(
      Object.fromEntries(members.map(([name, cell]) => [name, cell === 'true' ? true : cell])),
    )
  })
  await Bun.write(join(folder, 'trades.csv'), sample)
  await Bun.write(join(folder, 'trades.ndjson'), lines.join('\n'))
  const wanted = await score(['--sample'])
  expect(await score([join(folder, 'trades.csv')])).toEqual(wanted)
  expect(await score([join(folder, 'trades.ndjson')])).toEqual(wanted)
  expect(await score(['-'], sample)).toEqual(wanted)
  await rm(folder, { recursive: true })
})

test('fewer than 20 eligible wallets have metrics and no score', async () => {
  const few = [header, ...rows.slice(0, 150)].join('\n')
  const { out } = await score(['-', '--json'], few)
  const { scores } = z.object({ scores: z.array(walletScoreSchema) }).parse(JSON.parse(out))
  expect(scores.map(({ status, trustScore }) => [status, trustScore])).toEqual(
    Array.from({ length: 3 }, () => ['eligible', null]),
  )
  expect(scores[0]?.metrics.sharpe).not.toBeNull()
})
