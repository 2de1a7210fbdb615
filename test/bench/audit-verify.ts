import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { removeAtExit } from '#test/support/server-process.ts'
import { type Figure, inTurns, note, printFigures } from './figures.ts'
import { startProcess } from './side-process.ts'

/**
 * What reading a published log takes: `audit verify` plain on one core and strictly on all of them,
 * its memory for small and large logs, an inclusion proof, and the room on disk.
 *
 *   bun test/bench/audit-verify.ts [--records 10000000] [--json]
 */
const recordsDefault = 1_000_000
const rounds = 3
/** Of these the memory is told, and of the log that was asked for. */
const memorySizes = [10_000, 1_000_000]
const diskRecords = 10_000_000

const required = {
  plain: { valueMin: 250_000 },
  strictPerCore: { valueMin: 60_000 },
  proofMs: { valueMax: 5 },
  diskGb: { valueMax: 4 },
  // One bound for every size. Kept hashes or ids of 10 million records would be 160 MB and more.
  peakMb: { plain: { valueMax: 128 }, strict: { valueMax: 256 } },
} as const

/** A log of 10 million takes minutes to make. */
const sideMsMax = 1_200_000

const cores = availableParallelism()
const madeAnswer = z.object({ bytes: z.number() })
const verifyAnswer = z.object({ seconds: z.number(), cpuSeconds: z.number(), peakMb: z.number() })
const hashAnswer = z.object({ seconds: z.number() })
const proofAnswer = z.object({ p50: z.number(), p99: z.number() })

type BenchLog = { readonly directory: string; readonly records: number; readonly key: string }

const ways = ['plain', 'strict'] as const
type Way = (typeof ways)[number]

export async function verifyFigures(): Promise<Figure[]> {
  const records = recordsAsked()
  const log = await makeLog(records)
  const peaks = new Map([[records, { plain: 0, strict: 0 }]])
  const figures = [
    await diskFigure(log),
    ...(await proofFigures(log)),
    ...(await rateFigures(log, peaks.get(records))),
  ]
  await rm(log.directory, { recursive: true })
  for (const size of memorySizes) {
    if (size < records) peaks.set(size, await peaksOf(size))
  }
  return [...figures, ...memoryFigures(peaks)]
}

function recordsAsked(): number {
  const { values } = parseArgs({
    options: { records: { type: 'string' }, json: { type: 'boolean' } },
  })
  return Number(values.records ?? recordsDefault)
}

async function makeLog(records: number): Promise<BenchLog> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-bench-log-'))
  removeAtExit(directory)
  const { signerKey, verifierKey } = generateSignerKey('bench.example.com/audit', 'ed25519')
  const answer = await side(['audit-log-side.ts', directory, String(records), signerKey])
  const bytes = Math.round(madeAnswer.parse(answer).bytes / records)
  note(`a log of ${shown(records)} records of ${bytes} bytes`)
  return { directory, records, key: verifierKey }
}

async function diskFigure({ directory, records }: BenchLog): Promise<Figure> {
  let [bytes, files] = [0, 0]
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    // What a file takes and not what it holds: blocks are what fills a disk.
    bytes += (await lstat(join(entry.parentPath, entry.name))).blocks * diskBlockBytes
    files += 1
  }
  note(`${Math.round(bytes / records)} bytes a record on disk, in ${shown(files)} files`)
  return {
    name: `log of ${shown(diskRecords)} records on disk, by one of ${shown(records)}`,
    unit: 'GB',
    ours: ((bytes / records) * diskRecords) / 1e9,
    baseline: undefined,
    required: required.diskGb,
  }
}

/** The unit of `st_blocks`, whatever the file system's own is. */
const diskBlockBytes = 512

async function proofFigures(log: BenchLog): Promise<Figure[]> {
  const { p50, p99 } = proofAnswer.parse(await read('prove', log))
  const of = (name: string, ours: number): Figure => ({
    ...{ name: `inclusion proof, ${shown(log.records)} records, ${name}`, unit: 'ms', ours },
    ...{ baseline: undefined, required: required.proofMs },
  })
  return [of('p50', p50), of('p99', p99)]
}

async function rateFigures(log: BenchLog, peakMb: Peaks | undefined): Promise<Figure[]> {
  const verify = async (way: Way): Promise<number> => {
    const took = verifyAnswer.parse(await read(way, log))
    if (peakMb !== undefined) peakMb[way] = Math.max(peakMb[way], took.peakMb)
    // Where a process cannot be held to one core, what it used of the others counts as time.
    return way === 'plain'
      ? log.records / Math.max(took.seconds, took.cpuSeconds)
      : log.records / took.seconds / cores
  }
  const turns = await inTurns(rounds, {
    plain: () => verify('plain'),
    hash: async () => log.records / hashAnswer.parse(await read('hash', log)).seconds,
    strict: () => verify('strict'),
  })
  note(`strictly, on ${cores} cores: ${shown(turns.medianOf('strict') * cores)} records/s`)
  const of = (title: string) => `${title}, ${shown(log.records)} records`
  return [
    {
      ...{ name: of('audit verify on one core'), unit: 'records/s', ours: turns.medianOf('plain') },
      baseline: turns.baseline('plain', 'hash', 'SHA-256 alone'),
      required: required.plain,
    },
    {
      name: of(`audit verify --strict, each of ${cores} cores`),
      ...{ unit: 'records/s', ours: turns.medianOf('strict') },
      ...{ baseline: undefined, required: required.strictPerCore },
    },
  ]
}

type Peaks = Record<Way, number>

async function peaksOf(records: number): Promise<Peaks> {
  const log = await makeLog(records)
  const { peakMb: plain } = verifyAnswer.parse(await read('plain', log))
  const { peakMb: strict } = verifyAnswer.parse(await read('strict', log))
  await rm(log.directory, { recursive: true })
  return { plain, strict }
}

function memoryFigures(peaks: ReadonlyMap<number, Peaks>): Figure[] {
  const sizes = [...peaks.keys()].toSorted((a, b) => a - b)
  const smallest = sizes[0] ?? 0
  return ways.flatMap((way) =>
    sizes.map((size) => {
      const ours = peaks.get(size)?.[way] ?? Number.NaN
      const value = peaks.get(smallest)?.[way] ?? Number.NaN
      const baseline = { name: `at ${shown(smallest)}`, value, ratio: ours / value }
      const command = way === 'plain' ? 'audit verify' : 'audit verify --strict'
      return {
        name: `peak memory of ${command}, ${shown(size)} records`,
        ...{ unit: 'MB', ours, required: required.peakMb[way] },
        baseline: size === smallest ? undefined : baseline,
      }
    }),
  )
}

async function read(mode: Way | 'hash' | 'prove', { directory, key }: BenchLog): Promise<unknown> {
  const held = mode === 'plain' || mode === 'hash' ? oneCore() : []
  return await side(['audit-verify-side.ts', mode, directory, key], held)
}

/** The last core: interrupts of disks and networks prefer the first. */
function oneCore(): readonly string[] {
  const taskset = Bun.which('taskset')
  return taskset === null ? [] : [taskset, '-c', String(cores - 1)]
}

async function side(
  [script = '', ...args]: readonly string[],
  before: readonly string[] = [],
): Promise<unknown> {
  const command = [...before, process.execPath, join(import.meta.dir, script), ...args]
  return await startProcess(command, { collect: true, answerMsMax: sideMsMax }).answer()
}

function shown(count: number): string {
  return Math.round(count).toLocaleString('en')
}

if (import.meta.main) printFigures(await verifyFigures())
