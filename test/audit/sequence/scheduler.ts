import type { Call, Fate, Scheduler } from './simulated-process.ts'

type Pending = { readonly call: Call; readonly dueMs: number; readonly go: (fate: Fate) => void }

/**
 * Lets one held call go on at a time, which one and with what fate is `random`'s choice. Between
 * two calls every process runs until it calls again, so a seed is one history.
 */
export function createScheduler(options: {
  readonly clock: { nowMs: number }
  readonly random: () => number
  /** What becomes of a call; asked when its turn has come. */
  readonly fateOf: (call: Call) => Fate
}): Scheduler & { step(): Promise<void>; idle(): boolean } {
  const { clock, random, fateOf } = options
  let pending: Pending[] = []

  function hold(call: Call, dueMs: number): Promise<Fate> {
    return new Promise((go) => {
      pending.push({ call, dueMs, go })
    })
  }

  return {
    call: (call) => hold(call, clock.nowMs),
    async sleep(process, ms, signal) {
      if (signal.aborted) return
      const woken = Promise.withResolvers<'woken'>()
      signal.addEventListener('abort', () => woken.resolve('woken'))
      await Promise.race([hold({ process, name: 'sleep' }, clock.nowMs + ms), woken.promise])
    },
    async step() {
      // All that may run without a call does so first.
      await new Promise((resolve) => setImmediate(resolve))
      if (pending.length === 0) return
      const due = pending.filter(({ dueMs }) => dueMs <= clock.nowMs)
      const choice = due[Math.floor(random() * due.length)] ?? earliest(pending)
      clock.nowMs = Math.max(clock.nowMs, choice.dueMs)
      pending = pending.filter((one) => one !== choice)
      choice.go(choice.call.name === 'sleep' ? 'done' : fateOf(choice.call))
    },
    idle: () => pending.every(({ call }) => call.name === 'sleep'),
  }
}

function earliest(pending: readonly Pending[]): Pending {
  return pending.reduce((first, one) => (one.dueMs < first.dueMs ? one : first))
}

/** Mulberry32: small, seeded, good enough to choose with. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
