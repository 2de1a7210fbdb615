import { expect, test } from 'bun:test'
import { readBoundedText } from '#core/reading/read-bounded-text.ts'

const limits = { bytesMax: 8, timeoutMs: 50 }
const read = (text: string | Uint8Array<ArrayBuffer>) => readBoundedText(new Response(text), limits)

test('a sender that drips is cut off at the deadline, however often it sends', async () => {
  let timer: ReturnType<typeof setInterval> | undefined
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      timer = setInterval(() => controller.enqueue(new Uint8Array()), 5)
    },
    cancel: () => clearInterval(timer),
  })
  expect(await readBoundedText({ body }, limits)).toMatchObject({ status: 408 })
})

test('what is counted is bytes: at the limit read, one past it refused', async () => {
  expect(await read('x'.repeat(8))).toBe('x'.repeat(8))
  expect(await read('x'.repeat(9))).toMatchObject({ status: 413 })
  expect(await read('é'.repeat(4))).toBe('é'.repeat(4))
  expect(await read('é'.repeat(5))).toMatchObject({ status: 413 })
})

test('UTF-8 is strict, and a byte order mark is not dropped', async () => {
  expect(await read(Uint8Array.of(0xc3))).toMatchObject({ status: 400 })
  expect(await read(Uint8Array.of(0xed, 0xa0, 0x80))).toMatchObject({ status: 400 })
  expect(await read('\ufeffold')).toBe('\ufeffold')
})

test('no body is an empty one', async () => {
  expect(await readBoundedText({ body: null }, limits)).toBe('')
})
