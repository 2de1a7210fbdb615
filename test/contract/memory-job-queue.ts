import { PosternError } from '#core/errors.ts'
import type { Delivery, JobQueue } from '#core/job/job-queue.ts'

export type MemoryJobQueue = JobQueue & {
  /** What is held, in the order in which it was added. */
  held(): readonly Delivery[]
  /** A worker of the engine takes a job: from here on it runs and cannot be removed. */
  take(id: string): Delivery | undefined
  /** The engine forgets what has ended. */
  acknowledge(id: string): void
  /** Away: every call fails; what was added before is kept. */
  setAway(isAway: boolean): void
  /** The engine loses everything, as after FLUSHALL. */
  wipe(): void
}

/** A queue engine in memory, for tests that need it to fail on purpose. */
export function memoryJobQueue(): MemoryJobQueue {
  const held = new Map<string, Delivery>()
  const running = new Set<string>()
  const paused = new Set<string>()
  let isAway = false

  function answer(): void {
    if (isAway) throw new PosternError('queue.unavailable', { retryAfterSeconds: 1 })
  }

  return {
    backend: 'redis',
    async add(deliveries) {
      answer()
      for (const delivery of deliveries) {
        if (!held.has(delivery.id)) held.set(delivery.id, delivery)
      }
    },
    async remove(_kind, id) {
      answer()
      if (running.has(id)) return false
      held.delete(id)
      return true
    },
    async missing(_kind, ids) {
      answer()
      return ids.filter((id) => !held.has(id))
    },
    async setPaused(kind, isPaused) {
      answer()
      if (isPaused) paused.add(kind.name)
      else paused.delete(kind.name)
    },
    async counts(kind) {
      answer()
      const counts = { waiting: 0, active: 0, delayed: 0, prioritized: 0 }
      for (const delivery of held.values()) {
        if (delivery.kind.name === kind.name) counts[stateOf(delivery, running)] += 1
      }
      return counts
    },
    async ping() {
      answer()
    },
    async close() {
      isAway = true
    },
    held: () => [...held.values()],
    take(id) {
      const delivery = held.get(id)
      if (delivery === undefined || paused.has(delivery.kind.name)) return undefined
      running.add(id)
      return delivery
    },
    acknowledge(id) {
      running.delete(id)
      held.delete(id)
    },
    setAway(away) {
      isAway = away
    },
    wipe() {
      held.clear()
      running.clear()
    },
  }
}

function stateOf({ id, delayMs, priority }: Delivery, running: ReadonlySet<string>) {
  if (running.has(id)) return 'active'
  if (delayMs > 0) return 'delayed'
  return priority > 0 ? 'prioritized' : 'waiting'
}
