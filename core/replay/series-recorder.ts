/** A stretch of samples as a chart needs it: where it went, and how far. */
export type Stretch = {
  readonly fromMs: number
  readonly toMs: number
  readonly equityMin: number
  readonly equityMax: number
  readonly equityLast: number
  readonly priceMin: number
  readonly priceMax: number
  readonly priceLast: number
  /** The feed's last price, which goes on while nobody can trade at it. */
  readonly feedLast: number
  /** Largest of the stretch. */
  readonly drawdown: number
  readonly exposure: number
}

/** What a bar leaves; the replay fills the same one again and again. */
export type Sample = {
  equity: number
  price: number
  feed: number
  loss: number
  exposure: number
}

/** More than a chart has pixels for. */
const stretchesMax = 720

const columns = 11
const columnsThatMin = [0, 2, 5] as const
const columnsThatMax = [1, 3, 6, 8, 9] as const
const columnsThatLast = [4, 7, 10] as const

/**
 * Keeps every extreme of a series of any length in constant memory: when it is full, neighbours
 * are merged two and two and each stretch from then on holds twice the samples.
 */
export function seriesRecorder() {
  const table = new Float64Array(stretchesMax * columns)
  let used = 0
  let width = 1
  let filled = 0

  return {
    add(timeMs: number, sample: Sample): void {
      if (filled === width) {
        filled = 0
        used += 1
        if (used === stretchesMax) {
          for (let pair = 0; pair < used / 2; pair += 1) mergePair(table, pair)
          used /= 2
          width *= 2
        }
      }
      const at = used * columns
      if (filled === 0) {
        table.fill(sample.equity, at + 2, at + 5).fill(sample.price, at + 5, at + 8)
        table[at] = timeMs
        table[at + 8] = sample.loss
        table[at + 9] = sample.exposure
        table[at + 10] = sample.feed
      } else widen(table, at, sample)
      table[at + 1] = timeMs
      filled += 1
    },
    stretches(): Stretch[] {
      const count = filled === 0 ? used : used + 1
      return Array.from({ length: count }, (_, index) => stretchOf(table, index * columns))
    },
  }
}

/** Into one stretch, at the pair's own number. */
function mergePair(table: Float64Array, pair: number): void {
  const first = 2 * pair * columns
  const second = first + columns
  const target = pair * columns
  for (const column of columnsThatMin) {
    table[target + column] = Math.min(table[first + column] ?? 0, table[second + column] ?? 0)
  }
  for (const column of columnsThatMax) {
    table[target + column] = Math.max(table[first + column] ?? 0, table[second + column] ?? 0)
  }
  for (const column of columnsThatLast) table[target + column] = table[second + column] ?? 0
}

function widen(table: Float64Array, at: number, sample: Sample): void {
  const { equity, price, loss, exposure } = sample
  table[at + 2] = Math.min(table[at + 2] ?? 0, equity)
  table[at + 3] = Math.max(table[at + 3] ?? 0, equity)
  table[at + 4] = equity
  table[at + 5] = Math.min(table[at + 5] ?? 0, price)
  table[at + 6] = Math.max(table[at + 6] ?? 0, price)
  table[at + 7] = price
  table[at + 8] = Math.max(table[at + 8] ?? 0, loss)
  table[at + 9] = Math.max(table[at + 9] ?? 0, exposure)
  table[at + 10] = sample.feed
}

function stretchOf(table: Float64Array, at: number): Stretch {
  const column = (index: number) => table[at + index] ?? 0
  return {
    fromMs: column(0),
    toMs: column(1),
    equityMin: column(2),
    equityMax: column(3),
    equityLast: column(4),
    priceMin: column(5),
    priceMax: column(6),
    priceLast: column(7),
    drawdown: column(8),
    exposure: column(9),
    feedLast: column(10),
  }
}
