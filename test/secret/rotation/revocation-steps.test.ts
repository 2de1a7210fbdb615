import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { hostileRevocation } from './hostile-revocation.ts'
import { openRotationWorld, type RotationWorld } from './rotation-world.ts'

setDefaultTimeout(300_000)
/** `test/fault/revocation-steps.ts` runs hundreds. */
const runs = 30

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())
beforeEach(() => world.clear())

test('the version in force, revoked at any moment of a rotation, is refused and another one works', async () => {
  for (let seed = 1; seed <= runs; seed += 1) {
    expect([seed, ...(await hostileRevocation(world, seed))]).toEqual([seed])
  }
})
