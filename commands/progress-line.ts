import type { CommandIo } from './command-io.ts'

/** A run shorter than this needs no sign of life. */
const progressAfterMs = 2_000
/** Milliseconds between two drawings. */
const redrawMs = 100

/** One line on a terminal, wiped when done; nothing where nobody looks. */
export function progressLine({ stderr }: Pick<CommandIo, 'stderr'>) {
  const startedAt = performance.now()
  let drawnAt = 0
  let timer: Timer | undefined
  function tell(what: () => string): void {
    const now = performance.now()
    if (!stderr.isTTY || now - startedAt < progressAfterMs || now - drawnAt < redrawMs) return
    drawnAt = now
    stderr.write(`\r\u001b[K${what()}`)
  }
  /** Before other lines are written. */
  function wipe(): void {
    if (drawnAt > 0) stderr.write('\r\u001b[K')
  }
  return {
    tell,
    wipe,
    /** Tells by itself until it is cleared: what waits for others has nothing to tell. */
    keep(what: () => string): void {
      timer = setInterval(() => tell(what), redrawMs)
    },
    clear(): void {
      clearInterval(timer)
      wipe()
    },
  }
}

const barCells = 30

/** For example `[#########·····················] 31 % 310,000 of 1,000,000`. */
export function progressBar(done: number, of: number): string {
  const share = of === 0 ? 1 : Math.min(1, done / of)
  const filled = Math.round(share * barCells)
  const bar = '#'.repeat(filled).padEnd(barCells, '·')
  const counts = [done, of].map((count) => count.toLocaleString('en-US'))
  return `[${bar}] ${Math.floor(share * 100)} % ${counts[0]} of ${counts[1]}`
}
