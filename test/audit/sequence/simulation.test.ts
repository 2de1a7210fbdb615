import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { type Call, type Fate, origin } from './simulated-process.ts'
import { createSimulation } from './simulation.ts'

/** A history takes seconds, and some are longer than others. */
setDefaultTimeout(60_000)

const signers = [parseSignerKey(generateSignerKey(origin, 'ed25519').signerKey)]
/** One can be replayed with `SEED=n`; many make a soak. */
const firstSeed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1_000_000))
const histories = Number(process.env['HISTORIES'] ?? 20)

let stop: (() => Promise<void>) | undefined

afterEach(async () => {
  await stop?.()
  stop = undefined
})

function simulate(seed: number, fateOf: (call: Call, random: () => number) => Fate) {
  const simulation = createSimulation({ seed, signers, fateOf })
  stop = simulation.stopAll
  return simulation
}

const writes = [
  'database.append',
  'store.writeOnce',
  'store.writeCheckpoint',
  'database.notePublished',
  'database.lead',
  'database.renew',
  'database.release',
  'database.readIntake',
  'database.newestTree',
  'store.read',
]
const fates: Fate[] = [
  ...(['failed', 'failed, but done', 'failed, done later'] as const),
  ...(['killed before', 'killed after'] as const),
]
const matrix = writes.flatMap((name) => fates.map((fate) => ({ name, fate })))

test.each(matrix)('$name $fate: no record is lost, none is doubled', async ({ name, fate }) => {
  // At the first, a middle and a late call of that name.
  for (const nth of [1, 2, 5]) {
    let seen = 0
    const simulation = simulate(nth, (call) => {
      if (call.name === name) seen += 1
      return call.name === name && seen === nth ? fate : 'done'
    })
    simulation.start()
    for (let round = 0; round < 6; round++) {
      for (let count = 0; count < 60; count++) simulation.accept()
      for (let step = 0; step < 60; step++) await simulation.step()
      simulation.check()
      if (simulation.running.size === 0) simulation.start()
    }
    await simulation.settle()
    expect(simulation.alarms).toEqual([])
    await simulation.stopAll()
  }
})

test.each(Array.from({ length: histories }, (_, at) => firstSeed + at))(
  'history %d: leaders that fail, pause, die and overtake each other keep one log',
  async (seed) => {
    const simulation = simulate(seed, (_call, random) => {
      const dice = random()
      if (dice < 0.04) return 'failed'
      if (dice < 0.06) return 'failed, but done'
      if (dice < 0.08) return 'failed, done later'
      if (dice < 0.085) return 'killed before'
      if (dice < 0.09) return 'killed after'
      return 'done'
    })
    const { random } = simulation
    for (let step = 0; step < 1_500; step++) {
      if (simulation.running.size < 2 && random() < 0.05) simulation.start()
      if (random() < 0.3) simulation.accept()
      // Time that passes for whoever is held up: leases end.
      if (random() < 0.01) simulation.world.clock.nowMs += random() * 10_000
      await simulation.step()
      if (step % 100 === 0) simulation.check()
    }
    await simulation.settle()
    expect(simulation.alarms).toEqual([])
  },
)
