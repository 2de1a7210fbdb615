import { z } from 'zod'
import { freePort } from '#test/support/server-process.ts'
import { benchAccess } from './bench-access.ts'
import { benchPayload } from './bench-kind.ts'
import { startDatabases } from './databases.ts'
import { type Figure, note, printFigures } from './figures.ts'
import { untilAnswered } from './http-load.ts'
import { startSide } from './side-process.ts'

/**
 * Milliseconds from the sending of a request to the start of its job in another process, at a fixed
 * rate that does not slow down when the answers do.
 *
 *   bun test/bench/latency.ts [--json]
 */
const jobsPerSecond = 500
const warmUpSeconds = 3
const seconds = 10
const sideAnswer = z.object({ p50: z.number(), p99: z.number() })

export async function latencyFigures(): Promise<Figure[]> {
  const databases = await startDatabases()
  const access = await benchAccess()
  const port = await freePort()
  const document = JSON.stringify(access.document)
  const gateway = startSide(['gateway-side.ts', 'full', String(port), document], databases)
  await untilAnswered(`http://127.0.0.1:${port}/healthz`)
  const warmUp = jobsPerSecond * warmUpSeconds
  const jobs = warmUp + jobsPerSecond * seconds
  const worker = startSide(['start-side.ts', String(jobs), String(warmUp)], databases, {
    collect: true,
  })
  const answer = worker.answer()
  note(`latency, ${jobsPerSecond} jobs/s for ${seconds} s`)
  await sendAtFixedRate({
    url: `http://127.0.0.1:${port}/v1/jobs/bench`,
    token: access.token,
    jobs,
  })
  const { p50, p99 } = sideAnswer.parse(await answer)
  await gateway.stop('SIGKILL')
  await databases.close()
  const of = (name: string, ours: number, valueMax: number): Figure => ({
    ...{ name: `request to worker start at ${jobsPerSecond} jobs/s, ${name}`, unit: 'ms', ours },
    ...{ baseline: undefined, required: { valueMax } },
  })
  return [of('p50', p50, 10), of('p99', p99, 50)]
}

/** Sends what is due at every tick; a job that is sent late counts from when it was due. */
async function sendAtFixedRate(options: {
  readonly url: string
  readonly token: string
  readonly jobs: number
}): Promise<void> {
  const { url, token, jobs } = options
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const answers: Promise<void>[] = []
  const startedAt = performance.now()
  while (answers.length < jobs) {
    const due = Math.min(jobs, ((performance.now() - startedAt) * jobsPerSecond) / 1_000)
    while (answers.length < due) {
      const dueAt = performance.timeOrigin + startedAt + (answers.length * 1_000) / jobsPerSecond
      answers.push(post(JSON.stringify({ payload: { ...benchPayload, note: String(dueAt) } })))
    }
    await Bun.sleep(1)
  }
  await Promise.all(answers)

  async function post(body: string): Promise<void> {
    const answer = await fetch(url, { method: 'POST', headers, body })
    await answer.arrayBuffer()
    if (answer.status !== 202) throw new Error(`${url} answered ${answer.status}`)
  }
}

if (import.meta.main) printFigures(await latencyFigures())
