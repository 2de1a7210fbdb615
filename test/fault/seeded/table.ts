import { z } from 'zod'

export const runSchema = z.strictObject({
  seed: z.int(),
  fault: z.string(),
  /** From the first probe that failed until one came through again. */
  awayMs: z.number(),
  /** From the end of the cause until then. */
  recoveryMs: z.number(),
  /** Keys under which clients asked for a job. */
  jobs: z.int(),
  seconds: z.number(),
  /** What the service itself has noticed, class and seconds. */
  incidents: z.array(z.string()),
  violations: z.array(z.string()),
  /** Why the run could not be made here. */
  skipped: z.string().optional(),
})

export type Run = z.infer<typeof runSchema>

const columnWidth = 15

/** A row for each class, and the mean of all of them. */
export function table(runs: readonly Run[]): readonly string[] {
  const made = runs.filter(({ skipped }) => skipped === undefined)
  const skipped = runs.filter((run) => run.skipped !== undefined)
  const classes = Map.groupBy(made, ({ fault }) => fault)
  const width = Math.max(...[...classes.keys()].map((name) => name.length), 5)
  const columns = ['runs', 'noticed', 'MTTR s', 'worst s', 'after cause s', 'violations']
  const head = [
    `${'fault'.padEnd(width)}  ${columns.map((name) => name.padStart(columnWidth)).join('')}`,
  ]
  const rows = [...classes].map(([name, some]) => `${name.padEnd(width)}  ${cells(some)}`)
  const all = `${'all'.padEnd(width)}  ${cells(made)}`
  return [
    ...['', ...head, ...rows, all, ''],
    ...skipped.map(({ seed, fault, skipped: why }) => `NOT RUN ${seed} ${fault}: ${why}`),
  ]
}

/** Classes whose mean, or worst run, is longer than so many seconds. */
export function slowClasses(
  runs: readonly Run[],
  bounds: { readonly mttr: number; readonly worst: number },
): readonly string[] {
  return [...Map.groupBy(runs, ({ fault }) => fault)].flatMap(([name, some]) => {
    const away = awayOf(some)
    const mttr = mean(away) / 1_000
    const worst = Math.max(...away, 0) / 1_000
    const isSlow = mttr > bounds.mttr || worst > bounds.worst
    return isSlow
      ? [`${name}: ${mttr.toFixed(1)} s in the mean, ${worst.toFixed(1)} s at worst`]
      : []
  })
}

const awayOf = (runs: readonly Run[]) => runs.map(({ awayMs }) => awayMs).filter((ms) => ms > 0)
const mean = (some: readonly number[]) =>
  some.reduce((sum, ms) => sum + ms, 0) / Math.max(1, some.length)

/** The mean is of those that anybody noticed. */
function cells(runs: readonly Run[]): string {
  const away = awayOf(runs)
  const seconds = (ms: number) => (ms / 1_000).toFixed(1)
  const cause = Math.max(...runs.map(({ recoveryMs }) => recoveryMs), 0)
  const broken = runs.reduce((sum, { violations }) => sum + violations.length, 0)
  const values = [runs.length, away.length, seconds(mean(away)), seconds(Math.max(...away, 0))]
  return [...values, seconds(cause), broken]
    .map((value) => String(value).padStart(columnWidth))
    .join('')
}
