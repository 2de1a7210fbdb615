import { afterEach, expect, test } from 'bun:test'
import { parseCheckpoint } from '#core/audit/note/checkpoint.ts'
import { verifyCosignature } from '#core/audit/note/cosignature.ts'
import { parseNote } from '#core/audit/note/note.ts'
import { collectCosignatures } from '#core/audit/witness/collect-cosignatures.ts'
import { httpWitness } from '#core/audit/witness/http-witness.ts'
import { policyWitnesses } from '#core/audit/witness/policy-witnesses.ts'
import { originHash } from '#core/audit/witness/witness-store.ts'
import { makeSigner, origin, smallLog } from './small-log.ts'
import { ask, client, log, startWitness, witnessSigner } from './start-witness.ts'

const fork = smallLog({ signer: log.signer, forkAt: 3, branch: 'other' })

let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.toReversed()) await close()
  closing = []
})
const start = (options = {}) => startWitness(closing, options)

/** A server that answers with what it is told to. */
function scriptedServer(answer: (body: string) => Response | Promise<Response>) {
  const bodies: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const body = await request.text()
      bodies.push(body)
      return await answer(body)
    },
  })
  closing.push(() => server.stop(true))
  return { url: server.url.href, bodies }
}

const sizeAnswer = (body: string) =>
  new Response(body, { status: 409, headers: { 'content-type': 'text/x.tlog.size' } })

test('a log that grows is cosigned over HTTP, each line valid on its checkpoint', async () => {
  const { url } = start()
  const witness = client(url)
  for (const size of [1, 2, 3, 7, 8, 8, 200]) {
    const outcome = await ask(witness, log.note(size))
    if (outcome.outcome !== 'cosigned') throw new Error(JSON.stringify(outcome))
    const note = parseNote(log.note(size) + outcome.line)
    expect(verifyCosignature(note, witnessSigner.key)?.timeSeconds).toBe(outcome.timeSeconds)
    expect(Math.abs(outcome.timeSeconds - Date.now() / 1_000)).toBeLessThan(5)
  }
})

test('a client that forgot learns the size from the 409 and asks once more', async () => {
  const { url, store } = start()
  await ask(client(url), log.note(5))
  expect((await ask(client(url), log.note(9))).outcome).toBe('cosigned')
  const kept = store.find(originHash(origin)) ?? ''
  expect(parseCheckpoint(parseNote(kept).text).size).toBe(9)
})

test('a log that was rolled back hears it', async () => {
  const { url } = start()
  const witness = client(url)
  await ask(witness, log.note(9))
  expect(await ask(witness, log.note(5))).toEqual({ outcome: 'rolled-back', size: 9 })
  expect(await ask(client(url), log.note(5))).toEqual({ outcome: 'rolled-back', size: 9 })
})

test('a log with another history hears it, with the evidence', async () => {
  const { url } = start()
  await ask(client(url), log.note(5))
  const grown = await ask(client(url, fork), fork.note(9))
  expect(grown).toMatchObject({
    outcome: 'inconsistent',
    evidence: { status: 422, oldSize: 5, proof: fork.consistency(5, 9), note: fork.note(9) },
  })
  const same = await ask(client(url, fork), fork.note(5))
  expect(same).toMatchObject({ outcome: 'inconsistent', evidence: { oldSize: 5, status: 422 } })
})

test('a 409 for another root at the same size, as older witnesses say it, is inconsistent', async () => {
  const { url } = scriptedServer(() => sizeAnswer('5\n'))
  expect(await ask(client(url, fork), fork.note(5))).toMatchObject({
    outcome: 'inconsistent',
    evidence: { status: 409, oldSize: 5 },
  })
})

test.each([
  ['without the media type', () => new Response('3\n', { status: 409 })],
  ['without a newline', () => sizeAnswer('3')],
  ['with a leading zero', () => sizeAnswer('03\n')],
  ['with more than a size', () => sizeAnswer('3\n3\n')],
  ['past 2^53 - 1', () => sizeAnswer('9007199254740993\n')],
])('a 409 %s is an answer of no use', async (_, answer) => {
  const { url, bodies } = scriptedServer(answer)
  expect((await ask(client(url), log.note(5))).outcome).toBe('unavailable')
  expect(bodies.length).toBe(1)
})

test('a witness that names another size each time is asked three times', async () => {
  let size = 0
  const { url, bodies } = scriptedServer(() => sizeAnswer(`${++size}\n`))
  expect((await ask(client(url), log.note(9))).outcome).toBe('unavailable')
  expect(bodies.length).toBe(3)
})

test.each([
  ['nothing', ''],
  ['a line of another key', `— witness.example.com/w1 ${Buffer.alloc(76).toString('base64')}\n`],
  ['no signature line', 'thanks\n'],
  ['a page of 100 KiB', 'x'.repeat(102_400)],
])('a 200 with %s is no cosignature', async (_, body) => {
  const { url } = scriptedServer(() => new Response(body))
  expect((await ask(client(url), log.note(5))).outcome).toBe('unavailable')
})

test('a cosignature of another checkpoint is none', async () => {
  const real = start()
  const outcome = await ask(client(real.url), log.note(4))
  if (outcome.outcome !== 'cosigned') throw new Error(outcome.outcome)
  const { url } = scriptedServer(() => new Response(outcome.line))
  expect((await ask(client(url), log.note(5))).outcome).toBe('unavailable')
})

test('lines of unknown keys around the right one are passed over', async () => {
  const real = start()
  const { url } = scriptedServer(async (body) => {
    const answer = await fetch(`${real.url}add-checkpoint`, { method: 'POST', body })
    return new Response(`— else.example AAAA\njunk\n\n${await answer.text()}— x ====\n`)
  })
  expect((await ask(client(url), log.note(5))).outcome).toBe('cosigned')
})

test.each([400, 403, 404])('a %d is a refusal: one of both is configured wrong', async (status) => {
  const { url } = scriptedServer(() => new Response('no\n', { status }))
  expect(await ask(client(url), log.note(5))).toEqual({ outcome: 'refused', status, reason: 'no' })
})

test('an unknown log and an untrusted key are refused over HTTP', async () => {
  const { url } = start({ logSigner: makeSigner(origin, 'ed25519') })
  expect(await ask(client(url), log.note(5))).toMatchObject({ outcome: 'refused', status: 403 })
})

test('a redirect is not followed', async () => {
  const real = start()
  const { url } = scriptedServer(() => Response.redirect(`${real.url}add-checkpoint`, 307))
  expect(await ask(client(url), log.note(5))).toEqual({
    outcome: 'unavailable',
    reason: 'answered 307',
  })
})

test('nobody there is unavailable, and so is a proof that cannot be made', async () => {
  expect((await ask(client('http://127.0.0.1:1/'), log.note(5))).outcome).toBe('unavailable')
  const { url } = start()
  await ask(client(url), log.note(3))
  const witness = httpWitness({
    name: 'w1',
    key: witnessSigner.key,
    url,
    consistencyProof: () => Promise.reject(new Error('tile 0/000 is missing')),
  })
  expect(await ask(witness, log.note(5))).toEqual({
    outcome: 'unavailable',
    reason: 'tile 0/000 is missing',
  })
})

test('a second request while one is under way is not sent', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>()
  const { url, bodies } = scriptedServer(() => promise)
  const witness = client(url)
  const first = ask(witness, log.note(5))
  expect((await ask(witness, log.note(6))).outcome).toBe('unavailable')
  resolve(new Response('', { status: 500 }))
  expect((await first).outcome).toBe('unavailable')
  expect(bodies.length).toBe(1)
})

test('concurrent requests of two leaders: one memory, and it only grows', async () => {
  const { url, store } = start()
  const sizes = Array.from({ length: 40 }, (_, at) => at + 1)
  const outcomes = await Promise.all(
    sizes.toReversed().map((size) => ask(client(url), log.note(size))),
  )
  const cosigned = outcomes.filter(({ outcome }) => outcome === 'cosigned')
  expect(cosigned.length).toBeGreaterThan(0)
  expect(outcomes.filter(({ outcome }) => outcome === 'inconsistent')).toEqual([])
  await ask(client(url), log.note(40))
  const kept = store.find(originHash(origin)) ?? ''
  expect(parseCheckpoint(parseNote(kept).text).size).toBe(40)
})

test('all witnesses are asked at once; who is late or broken keeps nobody waiting', async () => {
  const other = makeSigner('witness.example.org/w2', 'cosignature')
  const [first, second] = [start(), start({ signer: other })]
  const hanging = scriptedServer(() => new Promise<Response>(() => undefined))
  const collect = collectCosignatures({
    witnesses: [
      client(first.url),
      client(hanging.url),
      client(second.url, log, other),
      { name: 'deaf', cosign: () => new Promise(() => undefined) },
    ],
    deadlineMs: 2_000,
  })
  const { lines, outcomes } = await collect(log.note(5))
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([
    'cosigned',
    'unavailable',
    'cosigned',
    'unavailable',
  ])
  const note = parseNote(log.note(5) + lines.join(''))
  expect(verifyCosignature(note, witnessSigner.key)).not.toBeUndefined()
  expect(verifyCosignature(note, other.key)).not.toBeUndefined()
})

test('a policy asks the witnesses that have a URL', async () => {
  const { url } = start()
  const { key } = witnessSigner
  const witnesses = policyWitnesses(
    {
      witnesses: [
        { name: 'w1', key, url },
        { name: 'w2', key, url: undefined },
      ],
    },
    async (old, size) => log.consistency(old, size),
  )
  const collect = collectCosignatures({ witnesses, deadlineMs: 2_000 })
  const { outcomes } = await collect(log.note(5))
  expect(outcomes).toMatchObject([{ witness: 'w1', outcome: 'cosigned' }])
})
