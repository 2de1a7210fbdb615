import { z } from 'zod'
import { killPoints } from './order-kill-plan.ts'
import type { OrdersStage } from './orders-stage.ts'
import type { Tally } from './orders-tally.ts'

export type WorkerSlot = {
  /** SIGKILL from outside, and no successor. */
  end(): Promise<void>
}

type WorkerPart = 'orders' | 'market' | 'all'

export type WorkerSlots = {
  /** `all` does both parts and is spared. */
  open(part: WorkerPart): WorkerSlot
  /** While Postgres is away a worker may end by itself, and starts anew. */
  excuse(isExcused: boolean): void
  /** Ids of orders that were sent unasked while the venue had them. */
  resent(): readonly string[]
}

const logLine = z.looseObject({ level: z.string(), event: z.string().optional() })
const againMs = 200

/** Worker processes, each followed at once by the next life of its slot. */
export function workerSlots(
  stage: OrdersStage,
  options: {
    readonly seed: number
    /** About so many orders are the most that a life may see. */
    readonly ordersPerLife: number
    readonly tally: Tally
    readonly onKilled: () => void
  },
): WorkerSlots {
  const { seed, ordersPerLife, tally, onKilled } = options
  const resent: string[] = []
  let lives = 0
  let isExcused = false

  function hear(line: string): void {
    if (line.startsWith('{')) hearLog(line)
    else if (line.startsWith('kill ')) tally.count(killNameOf(line))
    else if (line.startsWith('resent ')) resent.push(line.slice('resent '.length))
    else tally.count(`told ${line}`)
  }

  function hearLog(line: string): void {
    const { level, event = '', time: _, ...fields } = logLine.parse(JSON.parse(line))
    tally.count(`log ${level} ${event}`)
    if (level === 'error') tally.problem(`${event}: ${JSON.stringify(fields).slice(0, 2_000)}`)
  }

  async function live(part: WorkerPart, slot: Slot): Promise<void> {
    const life = lives
    lives += 1
    tally.count('worker lives')
    const args = ['--seed', String(seed), '--life', String(life), '--part', part]
    const fate = part === 'all' ? ['--spared'] : ['--orders', String(ordersPerLife)]
    const child = stage.worker([...args, ...fate])
    slot.child = child
    for await (const line of linesOf(child.stdout)) hear(line)
    await child.exited
    if (slot.isEnding) return
    if (child.signalCode === 'SIGKILL') return onKilled()
    if (!isExcused) tally.problem(`life ${life} of a worker ended by itself: ${child.exitCode}`)
    await Bun.sleep(againMs)
  }

  return {
    open(part) {
      const slot: Slot = { isEnding: false, child: undefined }
      const living = (async () => {
        while (!slot.isEnding) await live(part, slot)
      })()
      return {
        async end() {
          slot.isEnding = true
          slot.child?.kill('SIGKILL')
          await living
        },
      }
    },
    resent: () => resent,
    excuse: (value) => {
      isExcused = value
    },
  }
}

type Slot = {
  isEnding: boolean
  child: Bun.Subprocess | undefined
}

function killNameOf(line: string): string {
  const point = killPoints.find((one) => line.startsWith(`kill ${one}`))
  return `killed ${point ?? 'elsewhere'}`
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
