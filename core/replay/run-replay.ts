import { PosternError } from '../errors.ts'
import type { BarSource } from './bar-block.ts'
import { openReplay, type ReplayOptions } from './replay.ts'
import { type Described, type ReplayResult, resultOf } from './replay-result.ts'

export type RunOptions = Omit<ReplayOptions, 'source'> & {
  readonly source: BarSource
  readonly described: Described
  /** After each block; what it returns is awaited, so that it can let others run. */
  readonly onProgress?: ((bars: number) => Promise<void> | void) | undefined
}

/**
 * Replays a source to its end. Throws `request.body_invalid` when none of its bars lies within
 * trading hours, and what the source or `onProgress` throws.
 */
export async function runReplay(options: RunOptions): Promise<ReplayResult> {
  const { source, described, onProgress } = options
  const replay = openReplay(options)
  let bars = 0
  for await (const block of source.blocks) {
    replay.apply(block)
    bars += block.length
    await onProgress?.(bars)
  }
  const run = replay.finish()
  if (run === undefined) {
    throw new PosternError('request.body_invalid', {
      detail: 'No bar lies within the trading hours of the NYSE: nothing could be replayed.',
    })
  }
  return resultOf(run, source.manifest(), described)
}
