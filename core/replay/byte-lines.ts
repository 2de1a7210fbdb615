import { PosternError } from '../errors.ts'

/** Bytes of one line; a bar has under 200. */
const lineBytesMax = 4_096

/** Where a line lies; the same object each time. */
export type ByteLine = { bytes: Uint8Array; from: number; to: number; number: number }

const newline = 0x0a
const carriageReturn = 0x0d

/** The lines of a stream by their place in its bytes, without their ends; blank ones only count. */
export function byteLines() {
  let rest: Uint8Array = new Uint8Array(0)
  const line: ByteLine = { bytes: rest, from: 0, to: 0, number: 0 }

  function end(to: number, each: (line: ByteLine) => void): void {
    line.number += 1
    if (to - line.from > lineBytesMax) refuseLength(line.number)
    line.to = to > line.from && line.bytes[to - 1] === carriageReturn ? to - 1 : to
    if (line.to > line.from) each(line)
    line.from = to + 1
  }

  return {
    take(chunk: Uint8Array, each: (line: ByteLine) => void): void {
      line.bytes = rest.length === 0 ? chunk : joined(rest, chunk)
      line.from = 0
      for (;;) {
        const to = line.bytes.indexOf(newline, line.from)
        if (to === -1) break
        end(to, each)
      }
      rest = line.bytes.subarray(line.from)
      if (rest.length > lineBytesMax) refuseLength(line.number + 1)
    },
    /** A last line without its end. */
    finish(each: (line: ByteLine) => void): void {
      line.bytes = rest
      line.from = 0
      if (rest.length > 0) end(rest.length, each)
    },
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

function refuseLength(line: number): never {
  throw new PosternError('request.body_invalid', {
    detail: `line ${line} is longer than ${lineBytesMax} bytes`,
  })
}
