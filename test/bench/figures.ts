/** One number that was asked for, beside what it is compared with. */
export type Figure = {
  readonly name: string
  readonly unit: string
  readonly ours: number
  /** Undefined where the figure is absolute. */
  readonly baseline: Baseline | undefined
  readonly required: Requirement
}

export type Baseline = {
  readonly name: string
  readonly value: number
  /** Ours to this one, the median of the ratios of each round. */
  readonly ratio: number
}

export type Requirement =
  | { readonly ratioMin: number }
  | { readonly valueMin: number }
  | { readonly valueMax: number }

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The nearest-rank quantile; NaN for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}

function isMet(figure: Figure): boolean {
  const { required } = figure
  if ('ratioMin' in required) return (figure.baseline?.ratio ?? 0) >= required.ratioMin
  if ('valueMin' in required) return figure.ours >= required.valueMin
  return figure.ours <= required.valueMax
}

export type Turns<Name extends string> = {
  medianOf(name: Name): number
  /** What `ours` is held against. */
  baseline(ours: Name, other: Name, title: string): Baseline
}

/**
 * Runs each contestant once a round, in turn and in an order that turns round, so that what else
 * the machine does meets them alike. A ratio is taken within a round, where both had the same
 * machine; the median of the rounds counts.
 */
export async function inTurns<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Turns<Name>> {
  const measured = new Map<string, number[]>()
  const entries = Object.entries<() => Promise<number>>(contestants)
  for (let round = 0; round < rounds; round++) {
    const told: string[] = []
    for (const [name, run] of round % 2 === 0 ? entries : entries.toReversed()) {
      const value = await run()
      measured.set(name, [...(measured.get(name) ?? []), value])
      told.push(`${name} ${shorten(value)}`)
    }
    note(`round ${round + 1}/${rounds}: ${told.join(', ')}`)
  }
  const valuesOf = (name: Name) => measured.get(name) ?? []
  return {
    medianOf: (name) => median(valuesOf(name)),
    baseline(ours, other, title) {
      const others = valuesOf(other)
      const ratios = valuesOf(ours).map((value, round) => value / (others[round] ?? Number.NaN))
      return { name: title, value: median(others), ratio: median(ratios) }
    },
  }
}

/** Progress, beside the result. */
export function note(text: string): void {
  process.stderr.write(`  ${text}\n`)
}

const columns = ['figure', 'ours', 'baseline', 'ratio', 'required', 'met'] as const

function tableOf(figures: readonly Figure[]): string {
  const rows = [[...columns], ...figures.map(rowOf)]
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function rowOf(figure: Figure): string[] {
  const { name, unit, ours, baseline } = figure
  return [
    name,
    `${shorten(ours)} ${unit}`,
    baseline === undefined ? '' : `${shorten(baseline.value)} ${unit} ${baseline.name}`,
    baseline === undefined ? '' : `${baseline.ratio.toFixed(2)} x`,
    requirementOf(figure),
    isMet(figure) ? 'yes' : 'NO',
  ]
}

function requirementOf({ required, unit }: Figure): string {
  if ('ratioMin' in required) return `>= ${required.ratioMin} x`
  if ('valueMin' in required) return `>= ${shorten(required.valueMin)} ${unit}`
  return `<= ${shorten(required.valueMax)} ${unit}`
}

function shorten(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

/**
 * What a bench script ends with: a table, or with `--json` the same for a machine. True when every
 * figure is met.
 */
export function printFigures(figures: readonly Figure[]): boolean {
  const told = figures.map((figure) => ({ ...figure, met: isMet(figure) }))
  const isJson = process.argv.includes('--json')
  process.stdout.write(isJson ? `${JSON.stringify(told, undefined, 2)}\n` : tableOf(figures))
  return told.every(({ met }) => met)
}
