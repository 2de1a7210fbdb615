import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { revokeSecret } from '#core/secret/rotation/revoke-secret.ts'
import { calm, openStage } from './hostile-rotation.ts'
import { openRotationWorld, type RotationWorld, secretName } from './rotation-world.ts'

setDefaultTimeout(60_000)

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())

test('a revoked key is refused everywhere only once every live process uses the next one', async () => {
  const stage = await openStage(world, 21, 'overlapping keys')
  const pointer = await world.journal.pointer(secretName)
  let effective = 0
  const onEffective = async () => {
    effective += 1
  }
  const run = { ...calm(stage), onEffective }
  const revoke = () =>
    revokeSecret(run, {
      ...{ id: '1', class: 'secret', issuer: '', value: `${secretName}@${pointer?.current}` },
      ...{ by: 'ann', inForceAt: new Date(0), ageSeconds: 0 },
    })
  await expect(revoke()).rejects.toMatchObject({ code: 'secret.unproved' })
  expect(effective).toBe(0)
  await world.prove(stage.process, stage.store)
  await revoke()
  expect(effective).toBe(1)
  expect((await world.journal.pointer(secretName))?.current).not.toBe(pointer?.current)
})
