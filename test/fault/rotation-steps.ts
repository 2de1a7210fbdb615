// The steps of a rotation, a thousand times from a thousand seeds: every call to store, target and
// journal may die, fail or lose its answer, before or after it acts; now and then a second rotator is
// at it too. At every moment what is in force must be let in, and in the end nothing else.
//
//   bun test/fault/rotation-steps.ts [--runs 1000] [--seed 1]
import { hostileRotation, isRefused } from '#test/secret/rotation/hostile-rotation.ts'
import { openRotationWorld } from '#test/secret/rotation/rotation-world.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const runs = option('runs', 1_000)
const firstSeed = option('seed', 1)
const sayEvery = 100

const world = await openRotationWorld()
const ends = { done: 0, undone: 0 }
let violations = 0
for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
  const { faults, step } = await hostileRotation(world, seed)
  const expected = isRefused(seed) ? 'undone' : 'done'
  const wrong = step === expected ? faults : [...faults, `ended as ${step}`]
  for (const fault of wrong) say(`VIOLATED with seed ${seed}: ${fault}`)
  violations += wrong.length
  ends[expected] += 1
  const count = seed - firstSeed + 1
  if (count % sayEvery === 0) say(`${count} rotations, ${violations} violations`)
}
await world.close()
say(`${ends.done} ended in force, ${ends.undone} were undone, ${violations} violations`)
process.exit(violations === 0 ? 0 : 1)
