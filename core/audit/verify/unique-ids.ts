import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { idBytes } from './check-part.ts'

/**
 * Whether an id occurs twice among more ids than memory holds: they are distributed over files by
 * a keyed hash, and each file is small enough for a table.
 */
export type UniqueIds = {
  /** `idBytes` per entry from `firstIndex` on; an id of zeros stands for none. */
  add(firstIndex: number, ids: Uint8Array): void
  /** Reports every id met before, with the entry that has it and the one that had it first. */
  finish(onTwice: (twice: IdTwice) => void): void
  [Symbol.dispose](): void
}

export type IdTwice = {
  readonly id: string
  readonly index: number
  readonly firstIndex: number
}

/** An id in four words, and the entry's index in two. */
const rowWords = 6
const rowBytes = rowWords * 4
const wordRange = 2 ** 32
/** Bytes of rows in one file: what finishing holds in memory, with a table of half of it. */
const fileBytesAim = 8 * 2 ** 20
/** Open files; far below the usual limit of 1,024. */
const filesMax = 256
/** Rows that are written at once. */
const bufferRows = 2_048

/**
 * Undefined where `directory` has not the room for `size` ids. The files have no name from the
 * start, so that nothing of them is left however the process ends.
 */
export async function openUniqueIds(
  size: number,
  directory: string,
): Promise<UniqueIds | undefined> {
  const needed = size * rowBytes
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize < needed) return undefined
  const files = openFiles(Math.min(filesMax, Math.ceil(needed / fileBytesAim) || 1), directory)
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
  return {
    add(firstIndex, ids) {
      const words = new Uint32Array(ids.buffer, ids.byteOffset, ids.byteLength / 4)
      const idWords = idBytes / 4
      for (let at = 0, index = firstIndex; at < words.length; at += idWords, index++) {
        const hash = hashWords(words, at, seed)
        // Zeros: a record that was refused has no id to be compared.
        if (hash !== undefined) files[hash % files.length]?.append(words, at, index)
      }
    },
    finish(onTwice) {
      for (const file of files) findTwice(file.readAll(), seed, onTwice)
    },
    [Symbol.dispose]() {
      for (const file of files) file.close()
    },
  }
}

type IdFile = ReturnType<typeof idFile>

function openFiles(count: number, directory: string): IdFile[] {
  const own = mkdtempSync(join(directory, 'postern-verify-'))
  try {
    return Array.from({ length: count }, (_, at) =>
      idFile(openSync(join(own, `${at}`), 'wx+', 0o600)),
    )
  } finally {
    rmSync(own, { recursive: true })
  }
}

function idFile(descriptor: number) {
  const buffer = new Uint32Array(bufferRows * rowWords)
  let buffered = 0
  let written = 0

  function flush(): void {
    const bytes = new Uint8Array(buffer.buffer, 0, buffered * 4)
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
    written += bytes.length
    buffered = 0
  }

  return {
    append(words: Uint32Array, at: number, index: number): void {
      for (let word = 0; word < 4; word++) buffer[buffered + word] = words[at + word] ?? 0
      buffer[buffered + 4] = index % wordRange
      buffer[buffered + 5] = Math.floor(index / wordRange)
      buffered += rowWords
      if (buffered === buffer.length) flush()
    },
    readAll(): Uint32Array {
      flush()
      const bytes = new Uint8Array(written)
      for (let at = 0; at < written; ) {
        const read = readSync(descriptor, bytes, at, written - at, at)
        if (read === 0) throw new Error('a temporary file lost its end')
        at += read
      }
      return new Uint32Array(bytes.buffer)
    },
    close: () => closeSync(descriptor),
  }
}

/** Keyed, because who writes the log chooses the ids; undefined for the id of zeros. */
function hashWords(words: Uint32Array, at: number, seed: number): number | undefined {
  let hash = seed
  let any = 0
  for (let i = 0; i < 4; i++) {
    const word = words[at + i] ?? 0
    any |= word
    hash = Math.imul(hash ^ word, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return any === 0 ? undefined : hash >>> 0
}

function findTwice(rows: Uint32Array, seed: number, onTwice: (twice: IdTwice) => void): void {
  const count = rows.length / rowWords
  const capacity = 2 ** Math.ceil(Math.log2(count * 2 + 2))
  // Row number + 1 per slot; 0 is free.
  const table = new Uint32Array(capacity)
  for (let row = 0; row < count; row++) {
    const at = row * rowWords
    // Another key: rows of one file agree in what chose the file.
    let slot = (hashWords(rows, at, ~seed) ?? 0) % capacity
    for (let known = table[slot] ?? 0; known !== 0; known = table[slot] ?? 0) {
      if (isSameId(rows, (known - 1) * rowWords, at)) {
        const firstIndex = indexOf(rows, (known - 1) * rowWords)
        onTwice({ id: idOf(rows, at), index: indexOf(rows, at), firstIndex })
        break
      }
      slot = (slot + 1) % capacity
    }
    if (table[slot] === 0) table[slot] = row + 1
  }
}

function isSameId(rows: Uint32Array, a: number, b: number): boolean {
  return [0, 1, 2, 3].every((word) => rows[a + word] === rows[b + word])
}

function indexOf(rows: Uint32Array, at: number): number {
  return (rows[at + 5] ?? 0) * wordRange + (rows[at + 4] ?? 0)
}

function idOf(rows: Uint32Array, at: number): string {
  const hex = Buffer.from(rows.buffer, at * 4, idBytes).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
