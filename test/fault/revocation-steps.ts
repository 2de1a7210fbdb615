// The version in force is revoked at a random moment of a rotation, from one seed after the other: calls
// to store, target and journal die, fail or lose their answers, rotators are killed, now and then a second
// one is at it too. What is revoked ends refused and disabled, never told so before; another one works.
//
//   bun test/fault/revocation-steps.ts [--runs 300] [--seed 1]
import { hostileRevocation } from '#test/secret/rotation/hostile-revocation.ts'
import { openRotationWorld } from '#test/secret/rotation/rotation-world.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const runs = option('runs', 300)
const firstSeed = option('seed', 1)
const sayEvery = 50

const world = await openRotationWorld()
let violations = 0
for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
  const faults = await hostileRevocation(world, seed)
  for (const fault of new Set(faults)) say(`VIOLATED with seed ${seed}: ${fault}`)
  violations += faults.length
  const count = seed - firstSeed + 1
  if (count % sayEvery === 0) say(`${count} revocations, ${violations} violations`)
}
await world.close()
say(`${runs} revocations, ${violations} violations`)
process.exit(violations === 0 ? 0 : 1)
