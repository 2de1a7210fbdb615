import type { NoteSigner } from '#core/audit/note/signer.ts'
import type { Witnessing } from '#core/audit/sequence/inspect-head.ts'
import { checkLog, checkTrees } from './log-invariants.ts'
import { createScheduler, seededRandom } from './scheduler.ts'
import { type Call, type Fate, simulatedProcess } from './simulated-process.ts'
import { simulatedWorld } from './simulated-world.ts'

/** Calls after which a history must have come to rest; a livelock would never. */
const stepsMax = 200_000

export type SimulationOptions = {
  readonly seed: number
  readonly signers: readonly NoteSigner[]
  /** What becomes of a call until the simulation is settled. */
  readonly fateOf: (call: Call, random: () => number) => Fate
  readonly witnessing?: Witnessing
}

/**
 * A world with any number of sequencer processes, one held call at a time. The history follows from
 * the seed alone.
 */
export function createSimulation({ seed, signers, fateOf, witnessing }: SimulationOptions) {
  const random = seededRandom(seed)
  const world = simulatedWorld()
  const alarms: string[] = []
  const acknowledged = new Map<string, Uint8Array>()
  const keys = signers.map((signer) => signer.key)
  let isTroubled = true
  let started = 0
  const running = new Set<ReturnType<typeof simulatedProcess>>()
  const scheduler = createScheduler({
    clock: world.clock,
    random,
    fateOf: (call) => (isTroubled ? fateOf(call, random) : 'done'),
  })

  function start(by = signers) {
    const name = `process ${started++}`
    const options = { world, process: name, signers: by, scheduler, alarms, witnessing }
    const process = simulatedProcess(options)
    running.add(process)
    void process.ended.then(() => running.delete(process))
    return process
  }

  function accept(): void {
    const rec = uuidOf(random)
    const body = new TextEncoder().encode(`{"id":"${rec}"}`)
    acknowledged.set(rec, body)
    world.accept(rec, body)
    // The retry of an append whose answer was lost: the same record once more.
    if (random() < 0.05) world.accept(rec, body)
  }

  function contents() {
    const { entries, trees } = world.state()
    return { entries, trees, objects: world.objects }
  }

  function isSettled(): boolean {
    const { intake, head } = world.state()
    return intake.length === 0 && (head.size === 0 || publishedSize() === head.size)
  }

  function publishedSize(): number {
    const note = new TextDecoder().decode(world.objects.get('checkpoint'))
    return Number(note.split('\n')[1] ?? 0)
  }

  return {
    world,
    alarms,
    random,
    running,
    acknowledged,
    start,
    accept,
    step: scheduler.step,
    publishedSize,
    /** Throws where an invariant is broken. */
    check: () => checkTrees(contents(), keys),
    /** No more faults: one process has to bring everything to its place. */
    async settle(): Promise<void> {
      isTroubled = false
      if (running.size === 0) start()
      for (let steps = 0; !isSettled(); steps++) {
        if (steps > stepsMax) throw new Error(`seed ${seed}: not settled`)
        await scheduler.step()
      }
      checkLog(contents(), acknowledged, keys)
    },
    async stopAll(): Promise<void> {
      isTroubled = false
      for (const process of running) process.stop()
      while (running.size > 0) await scheduler.step()
    },
  }
}

function uuidOf(random: () => number): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
