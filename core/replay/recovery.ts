/** Losses against the running peak; samples are bars of equal length. */
export type Recovery = {
  /** Largest loss as a part of the peak, 0 or positive. */
  readonly maxDrawdown: number
  /** When it was met, and when its peak was last left; undefined when nothing was lost. */
  readonly troughMs: number | undefined
  readonly peakMs: number | undefined
  /** From the peak of the largest loss to its first regain, in samples; undefined while open. */
  readonly deepestSamples: number | undefined
  /** Longest way from a peak to its first regain, in samples; undefined when none was regained but one is open. */
  readonly recoverySamples: number | undefined
  /** The last sample at a peak that is not regained. */
  readonly underwaterSinceMs: number | undefined
}

/**
 * Peak to regain: from the last sample at the peak to the first that is not below it. A plateau is
 * no time under water, and a loss that is still open is no recovery.
 */
export function recoveryMeter() {
  let sample = -1
  let peak = Number.NEGATIVE_INFINITY
  let peakSample = 0
  let peakMs = Number.NaN
  let depth = 0
  let troughMs = Number.NaN
  let troughPeakMs = Number.NaN
  let longest = 0
  let deepestPeak = Number.NaN
  let deepestSamples: number | undefined
  return {
    /** The loss at this sample. */
    add(timeMs: number, equity: number): number {
      sample += 1
      if (equity >= peak) {
        const under = sample - peakSample
        if (under > 1) longest = Math.max(longest, under)
        if (deepestPeak === peakSample) deepestSamples ??= under
        peak = equity
        peakSample = sample
        peakMs = timeMs
        return 0
      }
      const loss = 1 - equity / peak
      if (loss > depth) {
        depth = loss
        troughMs = timeMs
        troughPeakMs = peakMs
        deepestPeak = peakSample
        deepestSamples = undefined
      }
      return loss
    },
    finish(): Recovery {
      const isOpen = peakSample < sample
      return {
        maxDrawdown: depth,
        troughMs: depth === 0 ? undefined : troughMs,
        peakMs: depth === 0 ? undefined : troughPeakMs,
        deepestSamples: depth === 0 ? 0 : deepestSamples,
        recoverySamples: isOpen && longest === 0 ? undefined : longest,
        underwaterSinceMs: isOpen ? peakMs : undefined,
      }
    },
  }
}
