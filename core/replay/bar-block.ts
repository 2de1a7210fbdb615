import { invariant } from '../invariant.ts'
import type { Nanos } from '../market/bar.ts'

/**
 * A run of bars as columns, so that millions of them cost no objects. A source fills the same
 * block again and again: what is kept beyond the next one must be copied. Times are milliseconds,
 * prices `Nanos` (safe integers in doubles).
 */
export type BarBlock = {
  /** Bars in use, from 0. */
  length: number
  /** The end of each bar. */
  readonly time: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  readonly volume: Float64Array
  /** The book at the end of the bar; NaN where none is known. */
  readonly bid: Float64Array
  readonly ask: Float64Array
  /** Annualised percent, as VIX is; NaN where none is known. */
  readonly volatility: Float64Array
  /** When the desk has the bar: its time and what the feed is behind. */
  readonly arrival: Float64Array
}

/** Bars of a block: enough to hide what a block costs, few enough to stay in a core's cache. */
export const blockBars = 4_096

export function newBlock(): BarBlock {
  const column = () => new Float64Array(blockBars)
  return {
    length: 0,
    time: column(),
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
    bid: column(),
    ask: column(),
    volatility: column(),
    arrival: column(),
  }
}

/** In the order in which a manifest's digest takes them. */
function columnsOf(block: BarBlock): readonly Float64Array[] {
  const { time, open, high, low, close, volume, bid, ask, volatility, arrival } = block
  return [time, open, high, low, close, volume, bid, ask, volatility, arrival]
}

/** What was replayed, so that anyone can make the same bars again or check that they are. */
export type BarManifest = {
  /** How the bars were made, or where they were read. */
  readonly model: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** Undefined for bars that were not generated. */
  readonly seed: number | undefined
  readonly bars: number
  /** Over the little-endian doubles of every block, column after column. */
  readonly sha256: string
}

/** What is traded: only an index series can trip the market-wide breaker. */
export type SeriesKind = 'index' | 'stock'

/** Where bars come from. `manifest` is complete once the blocks have been taken to their end. */
export type BarSource = {
  readonly symbol: string
  readonly series: SeriesKind
  /** Milliseconds of trading that one bar stands for. */
  readonly barMs: number
  /** The close before the first bar; undefined when the first session has to give it. */
  readonly priorClose: Nanos | undefined
  /** How many there will be, for a progress bar; undefined when nobody knows. */
  readonly barsExpected: number | undefined
  readonly blocks: Iterable<BarBlock> | AsyncIterable<BarBlock>
  manifest(): BarManifest
}

/** Makes a manifest of blocks as they pass, with the memory of one. */
export function openManifest(made: Pick<BarManifest, 'model' | 'parameters' | 'seed'>) {
  const hasher = new Bun.CryptoHasher('sha256')
  let bars = 0
  let manifest: BarManifest | undefined
  return {
    add(block: BarBlock): void {
      for (const column of columnsOf(block)) hasher.update(column.subarray(0, block.length))
      bars += block.length
    },
    /** After the last block. */
    close(): void {
      manifest = { ...made, bars, sha256: hasher.digest('hex') }
    },
    manifest(): BarManifest {
      invariant(manifest !== undefined, 'the manifest is known when all bars have been taken')
      return manifest
    },
  }
}

/** The same blocks, told to their manifest. */
export async function* toldBlocks(
  blocks: AsyncIterable<BarBlock>,
  { add, close }: ReturnType<typeof openManifest>,
): AsyncGenerator<BarBlock> {
  for await (const block of blocks) {
    add(block)
    yield block
  }
  close()
}
