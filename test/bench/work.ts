import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { newJob, openAccepting, submission } from '#test/support/job-engine.ts'
import { startDatabases } from './databases.ts'
import { type Figure, inTurns, note, printFigures } from './figures.ts'
import { startSide } from './side-process.ts'

/**
 * Jobs a second of a no-op kind, each outcome and its audit record committed in Postgres, beside a
 * bare BullMQ worker that commits nothing. Both work off a backlog that is there already.
 *
 *   bun test/bench/work.ts [--json]
 */
const jobs = 40_000
/** Of these; by then both sides are compiled. */
const warmUp = 15_000
const rounds = 5
const addedAtOnce = 1_000
const required = { 50: 0.5, 200: 0.65 } as const
const sideAnswer = z.object({ ms: z.number() })

export async function workFigures(): Promise<Figure[]> {
  const databases = await startDatabases()
  const figures: Figure[] = []
  for (const concurrency of [50, 200] as const) {
    note(`work, concurrency ${concurrency}`)
    const turns = await inTurns(rounds, {
      bare: () => round('bare', concurrency),
      ours: () => round('ours', concurrency),
    })
    figures.push({
      name: `work, no-op, concurrency ${concurrency}`,
      unit: 'jobs/s',
      ours: turns.medianOf('ours'),
      baseline: turns.baseline('ours', 'bare', 'bare BullMQ worker'),
      required: { ratioMin: required[concurrency] },
    })
  }
  await databases.close()
  return figures

  async function round(side: 'ours' | 'bare', concurrency: number): Promise<number> {
    await (side === 'ours' ? acceptJobs() : addJobs())
    const process = startSide(
      ['work-side.ts', side, String(concurrency), String(jobs), String(warmUp)],
      databases,
      { collect: true },
    )
    const { ms } = sideAnswer.parse(await process.answer())
    return (jobs - warmUp) / (ms / 1_000)
  }

  async function acceptJobs(): Promise<void> {
    const accepting = await openAccepting(databases)
    for (let sent = 0; sent < jobs; sent += addedAtOnce) {
      await accepting.intake.accept(
        submission(Array.from({ length: addedAtOnce }, () => newJob('none', { payload }))),
      )
    }
    await accepting.close()
  }

  async function addJobs(): Promise<void> {
    const connection = new Redis(databases.redisUrl, { maxRetriesPerRequest: null })
    const defaultJobOptions = { removeOnComplete: true, removeOnFail: true }
    const queue = new Queue('bare', { connection, defaultJobOptions })
    for (let sent = 0; sent < jobs; sent += addedAtOnce) {
      await queue.addBulk(
        Array.from({ length: addedAtOnce }, () => ({
          name: 'bare',
          data: { payload },
          opts: { jobId: Bun.randomUUIDv7() },
        })),
      )
    }
    await queue.close()
    connection.disconnect()
  }
}

/** About 300 bytes, as in the accept bench. */
const payload = { step: 'none', text: 'x'.repeat(270) }

if (import.meta.main) printFigures(await workFigures())
