import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { runCommand } from '#test/support/server-process.ts'
import type { Workload } from './flags.ts'
import { readK6 } from './measure/read-k6.ts'
import { newRecord, type Record, totalOf } from './measure/record.ts'

/** For start, end and a stop that waits; a k6 that hangs eats memory. */
const slackSeconds = 120

const summarySchema = z.object({
  metrics: z.record(
    z.string(),
    z.object({
      values: z.record(z.string(), z.number().nullable()),
      thresholds: z.record(z.string(), z.object({ ok: z.boolean() })).optional(),
    }),
  ),
})
type Summary = z.infer<typeof summarySchema>

export type K6Run = {
  readonly code: number
  readonly record: Record
  readonly startMs: number
  readonly endMs: number
  /** Of CPU, that k6 took. */
  readonly cpuMs: number
  /** Counters by name, also `name{tag:value}`. */
  count(metric: string): number
  /** Thresholds that were crossed. */
  readonly crossed: readonly string[]
}

export type K6Options = {
  readonly workload: Workload
  readonly host: string
  readonly tokensFile?: string | undefined
  readonly seconds: number
  /** More `-e` values for the script. */
  readonly values?: Readonly<{ [name: string]: string | undefined }>
  /** Hears the process, to pass signals on. */
  readonly onStart?: (child: Bun.Subprocess) => void
}

/** What a script ends with that could not begin, because k6 cannot be had here. */
export const unavailableCode = 69

/** Where `ci/tools` has built it; undefined where it cannot, which it has then told with what to do. */
export async function k6Program(): Promise<string | undefined> {
  const tools = join(import.meta.dir, '../../ci/tools.mjs')
  const child = Bun.spawn(['node', tools, 'k6'], {
    ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  })
  const [code, path] = await Promise.all([child.exited, new Response(child.stdout).text()])
  return code === 0 ? path.trim() : undefined
}

/** Runs a script of scenarios/ in the real k6, and reads what it writes while it writes it. */
export async function runK6(program: string, options: K6Options): Promise<K6Run> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-k6-'))
  const [pipe, summaryFile] = [join(folder, 'samples'), join(folder, 'summary.json')]
  try {
    await runCommand(['mkfifo', '-m', '600', pipe])
    const reader = Bun.spawn(['cat', pipe], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
    const record = newRecord()
    const reading = readK6(reader.stdout, record)
    const startMs = Date.now()
    const child = Bun.spawn(command(program, options, { pipe, summaryFile }), {
      env: environment(),
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
    })
    options.onStart?.(child)
    const late = setTimeout(() => child.kill('SIGKILL'), (options.seconds + slackSeconds) * 1_000)
    const code = await child.exited
    clearTimeout(late)
    const endMs = Date.now()
    // A k6 that refused its options has never opened the pipe.
    const isOpened = await Promise.race([reading.then(() => true), Bun.sleep(5_000)])
    if (isOpened !== true) reader.kill()
    await reading
    const summary = existsSync(summaryFile)
      ? summarySchema.parse(JSON.parse(await readFile(summaryFile, 'utf8')))
      : undefined
    // k6 needs a second to read its script: a rate counts from the first request.
    const firstMs = Math.min(Math.max(totalOf(record).firstMs, startMs), endMs)
    return {
      ...{ code: codeOf(code, summary), record, startMs: firstMs, endMs },
      cpuMs: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1_000,
      ...readings(summary),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** k6 ends with 0 where its summary could not be written; then nothing was judged. */
function codeOf(code: number, summary: Summary | undefined): number {
  return code === 0 && summary === undefined ? 1 : code
}

function readings(summary: Summary | undefined): Pick<K6Run, 'count' | 'crossed'> {
  const metrics = summary?.metrics ?? {}
  return {
    count: (metric) => metrics[metric]?.values['count'] ?? 0,
    crossed: Object.entries(metrics).flatMap(([name, { thresholds }]) =>
      Object.entries(thresholds ?? {}).flatMap(([rule, { ok }]) =>
        ok ? [] : [`${name}: ${rule}`],
      ),
    ),
  }
}

function command(
  program: string,
  { workload, host, tokensFile, seconds, values = {} }: K6Options,
  files: { readonly pipe: string; readonly summaryFile: string },
): string[] {
  const all = {
    ...{ HOST: host, SECONDS: String(seconds), SUMMARY_FILE: files.summaryFile, JUDGED: '1' },
    ...{ TOKENS_FILE: tokensFile, ...values },
  }
  return [
    ...[program, 'run', '--quiet', '--no-color', '--address', '', '--out', `csv=${files.pipe}`],
    ...Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : ['-e', `${name}=${value}`],
    ),
    join(import.meta.dir, 'scenarios', `${workload}.ts`),
  ]
}

/** `K6_VUS` and its like would replace the scenarios without a word. */
function environment(): { [name: string]: string | undefined } {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('K6_'))
  return {
    ...Object.fromEntries(inherited),
    K6_NO_USAGE_REPORT: 'true',
    K6_AUTO_EXTENSION_RESOLUTION: 'false',
    K6_CSV_TIME_FORMAT: 'unix_milli',
    // A thousand interpreters are one large heap; collected as often as Go does, k6 would take two
    // thirds of two cores that it shares with what it measures.
    GOGC: process.env['GOGC'] ?? '400',
  }
}
