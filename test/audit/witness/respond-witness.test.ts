import { afterEach, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { parseNote } from '#core/audit/note/note.ts'
import { formatAddCheckpoint, requestBytesMax } from '#core/audit/witness/add-checkpoint.ts'
import { originHash } from '#core/audit/witness/witness-store.ts'
import { origin } from './small-log.ts'
import { ask, client, log, startWitness, witnessSigner } from './start-witness.ts'

let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.toReversed()) await close()
  closing = []
})
const start = () => startWitness(closing)

test('the latest checkpoint is served under the hash of its origin, signed by both', async () => {
  const { url } = start()
  const path = `${url}${originHash(origin)}/checkpoint`
  expect((await fetch(path)).status).toBe(404)
  await ask(client(url), log.note(5))
  const answer = await fetch(path)
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  const note = parseNote(await answer.text())
  expect(note.signatures.map(({ name }) => name)).toEqual([origin, witnessSigner.key.name])
  expect((await fetch(`${url}healthz`)).status).toBe(200)
  expect((await fetch(`${url}${originHash(origin).toUpperCase()}/checkpoint`)).status).toBe(404)
})

test('a 409 has the size, a newline and the media type, and nothing else', async () => {
  const { url } = start()
  await ask(client(url), log.note(5))
  const body = formatAddCheckpoint({ oldSize: 0, proof: [], note: log.note(7) })
  const answer = await fetch(`${url}add-checkpoint`, { method: 'POST', body })
  expect(answer.status).toBe(409)
  expect(answer.headers.get('content-type')).toBe('text/x.tlog.size')
  expect(await answer.text()).toBe('5\n')
})

test.each([
  ['GET', 'add-checkpoint', 405],
  ['PUT', 'add-checkpoint', 405],
  ['POST', 'healthz', 405],
  ['GET', '', 404],
  ['POST', 'add-checkpoint/', 404],
  ['GET', `${'0'.repeat(63)}/checkpoint`, 404],
])('%s /%s is %d', async (method, path, status) => {
  const { url } = start()
  expect((await fetch(url + path, { method })).status).toBe(status)
})

test('a body just past the limit is 413, with and without a declared length', async () => {
  const { url } = start()
  const send = async (bytes: number, isChunked: boolean) => {
    const body = 'x'.repeat(bytes)
    const sent = isChunked ? new Blob([body]).stream() : body
    return (await fetch(`${url}add-checkpoint`, { method: 'POST', body: sent })).status
  }
  expect(await send(requestBytesMax, false)).toBe(400)
  expect(await send(requestBytesMax + 1, false)).toBe(413)
  expect(await send(requestBytesMax, true)).toBe(400)
  expect(await send(requestBytesMax + 1, true)).toBe(413)
})

test('a body that is not UTF-8 is 400', async () => {
  const { url } = start()
  const body = Buffer.concat([Buffer.from('old 0\n\n'), Buffer.from([0xff, 0x0a])])
  const answer = await fetch(`${url}add-checkpoint`, { method: 'POST', body })
  expect(answer.status).toBe(400)
})

test('a sender that stops in the middle keeps nobody else waiting', async () => {
  const { url } = start()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  closing.push(() => socket.destroy())
  socket.write('POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nold 0\n')
  expect((await ask(client(url), log.note(5))).outcome).toBe('cosigned')
})
