import { acceptFigures } from './accept.ts'
import { checkpointFigures } from './audit-checkpoint.ts'
import { intakeFigures } from './audit-intake.ts'
import { sequenceFigures } from './audit-sequence.ts'
import { verifyFigures } from './audit-verify.ts'
import { type Figure, printFigures } from './figures.ts'
import { latencyFigures } from './latency.ts'
import { readFigures } from './read.ts'
import { startFigures } from './start.ts'
import { workFigures } from './work.ts'

/**
 * All benches, one after the other, and one table. Needs redis-server, PostgreSQL, wrk and HAProxy,
 * and fifteen quiet minutes; exits 1 when a figure is missed.
 *
 *   bun test/bench/run.ts [--json]
 */
const figures: Figure[] = []
const benches = [
  ...[acceptFigures, readFigures, workFigures, latencyFigures, startFigures],
  ...[intakeFigures, sequenceFigures, checkpointFigures, verifyFigures],
]
let hasFailed = false
for (const bench of benches) {
  // One that cannot run must not cost the figures of the others.
  await bench().then(
    (some) => figures.push(...some),
    (error: unknown) => {
      hasFailed = true
      process.stderr.write(`${bench.name}: ${error instanceof Error ? error.message : error}\n`)
    },
  )
}
const isMet = printFigures(figures)
process.exit(isMet && !hasFailed ? 0 : 1)
