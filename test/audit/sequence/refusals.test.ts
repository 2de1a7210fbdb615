import { afterEach, expect, test } from 'bun:test'
import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { signNote } from '#core/audit/note/note.ts'
import { parsePolicy } from '#core/audit/note/policy.ts'
import { generateSignerKey, type NoteSigner, parseSignerKey } from '#core/audit/note/signer.ts'
import { resyncLog } from '#core/audit/sequence/resync.ts'
import { hashLeaf } from '#core/audit/tree/hash.ts'
import type { Cosignatures } from '#core/audit/witness/collect-cosignatures.ts'
import { origin } from './simulated-process.ts'
import { createSimulation, type SimulationOptions } from './simulation.ts'

const signers = [newSigner()]
const keys = signers.map((signer) => signer.key)
const owner = '00000000-0000-4000-8000-000000000000'

let stop: (() => Promise<void>) | undefined

afterEach(async () => {
  await stop?.()
  stop = undefined
})

function newSigner(name = origin): NoteSigner {
  return parseSignerKey(generateSignerKey(name, 'ed25519').signerKey)
}

function simulate(options: Partial<SimulationOptions> = {}) {
  const simulation = createSimulation({ seed: 1, signers, fateOf: () => 'done', ...options })
  stop = simulation.stopAll
  return simulation
}

type Simulation = ReturnType<typeof simulate>

function acceptSome({ accept }: Simulation, count: number): void {
  for (let done = 0; done < count; done++) accept()
}

async function stepFor(simulation: Simulation, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await simulation.step()
}

/** A log of `count` records, published, and nobody running. */
async function publishedLog(simulation: Simulation, count: number): Promise<void> {
  simulation.start()
  acceptSome(simulation, count)
  await simulation.settle()
  await simulation.stopAll()
}

async function expectRefusal(simulation: Simulation, reason: string, by = signers): Promise<void> {
  const { size } = simulation.world.state().head
  simulation.start(by)
  acceptSome(simulation, 5)
  await stepFor(simulation, 300)
  expect(simulation.alarms).toEqual([expect.stringContaining(`audit.refused ${reason}`)])
  expect(simulation.world.state().head.size).toBe(size)
}

function publish({ world }: Simulation, size: number, root: Uint8Array, by = signers): void {
  const note = signNote(formatCheckpoint({ origin, size, root }), by)
  world.objects.set('checkpoint', new TextEncoder().encode(note))
}

test('a restored older database is refused until its records are fetched from the tiles', async () => {
  const simulation = simulate()
  const { world } = simulation
  await publishedLog(simulation, 300)
  const backup = world.state()
  await publishedLog(simulation, 400)
  world.restoreBackup(backup)
  await expectRefusal(simulation, 'rolled-back')
  await simulation.stopAll()
  simulation.alarms.length = 0
  const { database, store: source, clock } = world
  clock.nowMs += 10_000
  const progress: number[] = []
  const resync = { database, source, origin, keys, owner, known: [] }
  const { from, to } = await resyncLog({
    ...resync,
    onProgress: ({ entries, of }) => progress.push(entries / of),
  })
  expect([from, to, progress.at(-1)]).toEqual([300, 700, 1])
  simulation.start()
  await simulation.settle()
  expect(simulation.alarms).toEqual([])
})

test('a database that is not the beginning of the published log is not resynced', async () => {
  const simulation = simulate()
  const { world } = simulation
  await publishedLog(simulation, 300)
  const [published, state] = [new Map(world.objects), world.state()]
  const other = simulate({ seed: 2 })
  await publishedLog(other, 100)
  const { database, clock } = other.world
  clock.nowMs += 10_000
  const source = { read: (path: string) => Promise.resolve(published.get(path)) }
  const onProgress = () => undefined
  const resync = { database, source, origin, keys, owner, known: [], onProgress }
  await expect(resyncLog(resync)).rejects.toThrow('not the beginning of the log of 300 entries')
  expect(other.world.state().head.size).toBe(100)
  expect(state.head.size).toBe(300)
})

test('another history under the published size is refused', async () => {
  const simulation = simulate()
  await publishedLog(simulation, 10)
  publish(simulation, 10, hashLeaf(Buffer.from('other')))
  await expectRefusal(simulation, 'forked')
})

test('a published size that was never committed is refused', async () => {
  const simulation = simulate()
  await publishedLog(simulation, 10)
  await publishedLog(simulation, 10)
  publish(simulation, 7, hashLeaf(Buffer.from('other')))
  await expectRefusal(simulation, 'forked')
})

test('a frontier that does not make its root is refused', async () => {
  const simulation = simulate()
  const { world } = simulation
  await publishedLog(simulation, 10)
  const state = world.state()
  world.restoreBackup({ ...state, head: { ...state.head, root: hashLeaf(Buffer.from('other')) } })
  await expectRefusal(simulation, 'forked')
})

test.each([
  ['another key of the same name', newSigner()],
  ['another name', newSigner('other.example.com/audit')],
])('with %s nothing is signed', async (_what, signer) => {
  const simulation = simulate()
  await publishedLog(simulation, 10)
  await expectRefusal(simulation, 'foreign', [signer])
})

test('a key is replaced through an overlap of both, and without an alarm', async () => {
  const simulation = simulate()
  const next = newSigner()
  await publishedLog(simulation, 10)
  for (const by of [[...signers, next], [next]]) {
    simulation.start(by)
    acceptSome(simulation, 10)
    await stepFor(simulation, 300)
    await simulation.stopAll()
  }
  expect(simulation.world.state().head.size).toBe(30)
  expect(simulation.alarms).toEqual([])
})

test('while the store cannot be read nothing is signed, and everything once it can', async () => {
  let isAway = true
  const fateOf: SimulationOptions['fateOf'] = ({ name }) =>
    isAway && name.startsWith('store.') ? 'failed' : 'done'
  const simulation = simulate({ fateOf })
  simulation.start()
  acceptSome(simulation, 10)
  await stepFor(simulation, 300)
  expect(simulation.world.state().head.size).toBe(0)
  isAway = false
  await simulation.settle()
  expect(simulation.alarms).toEqual([])
})

test('bytes in the store that are not ours end the signing', async () => {
  const simulation = simulate()
  const { world } = simulation
  await publishedLog(simulation, 10)
  world.objects.set('tile/entries/000.p/15', Buffer.from('planted'))
  simulation.start()
  acceptSome(simulation, 5)
  await stepFor(simulation, 200)
  const { size } = world.state().head
  acceptSome(simulation, 5)
  await stepFor(simulation, 300)
  expect(simulation.alarms).toEqual([expect.stringContaining('audit.refused conflict')])
  expect(world.state().head.size).toBe(size)
  expect(simulation.publishedSize()).toBe(10)
})

test('a known id with other bytes is set aside loudly, and the log goes on', async () => {
  const simulation = simulate()
  const { world } = simulation
  await publishedLog(simulation, 10)
  const rec = world.state().entries[3]?.rec ?? ''
  world.accept(rec, Buffer.from('{"forged":true}'))
  simulation.start()
  acceptSome(simulation, 5)
  await simulation.settle()
  expect(world.state().aside.map((row) => row.rec)).toEqual([rec])
  expect(simulation.alarms).toEqual([expect.stringContaining('audit.conflict')])
})

const policy = parsePolicy('quorum none\n')
const note = (one: Cosignatures['outcomes'][number]): Cosignatures => ({
  lines: [],
  outcomes: [one],
})

const evidence = { oldSize: 0, proof: [], note: '', status: 422, answer: '' }

test.each([
  ['has seen more', { outcome: 'rolled-back', size: 1_000 }, 'rolled-back'],
  ['has seen another history', { outcome: 'inconsistent', evidence }, 'forked'],
] as const)('a witness that %s ends the signing', async (_what, outcome, reason) => {
  const answer = note({ witness: 'w', ...outcome })
  const simulation = simulate({ witnessing: { collect: () => Promise.resolve(answer), policy } })
  simulation.start()
  acceptSome(simulation, 10)
  await stepFor(simulation, 300)
  const { size } = simulation.world.state().head
  acceptSome(simulation, 10)
  await stepFor(simulation, 300)
  expect(simulation.alarms.at(-1)).toContain(`audit.refused ${reason}`)
  expect(simulation.world.state().head.size).toBe(size)
  expect(simulation.publishedSize()).toBe(0)
})

test('without an answer of its witnesses the log goes on', async () => {
  const answer = note({ witness: 'w', outcome: 'unavailable', reason: 'down' })
  const simulation = simulate({ witnessing: { collect: () => Promise.resolve(answer), policy } })
  simulation.start()
  acceptSome(simulation, 10)
  await simulation.settle()
  expect(simulation.alarms).toEqual([])
})
