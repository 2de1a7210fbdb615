import type { Hash } from '../tree/hash.ts'

/** C2SP tlog-witness: what a log asks of a witness. */
export type AddCheckpoint = {
  /** Size of the checkpoint that the witness cosigned last, as the log believes. */
  readonly oldSize: number
  /** RFC 6962, 2.1.2, from `oldSize` to the checkpoint's size. */
  readonly proof: readonly Hash[]
  /** The signed checkpoint, whole. */
  readonly note: string
}

/** C2SP tlog-witness: one for each level of a tree of 2^63 leaves. */
const proofLinesMax = 63
/** Bytes: a note of 64 KiB, the proof lines of 45 bytes each and the first line. */
export const requestBytesMax = 69_632

/** Media type of the size that a 409 names. */
export const sizeMediaType = 'text/x.tlog.size'

/** Text of the request's body. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  const proofLines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`)
  return `old ${oldSize}\n${proofLines.join('')}\n${note}`
}

/** Undefined for anything but the exact form; the note itself is not looked at. */
export function parseAddCheckpoint(text: string): AddCheckpoint | undefined {
  const end = text.indexOf('\n\n')
  if (end === -1) return undefined
  const [first = '', ...lines] = text.slice(0, end).split('\n')
  if (!first.startsWith('old ') || lines.length > proofLinesMax) return undefined
  const oldSize = parseSize(first.slice('old '.length))
  const proof = lines.map(parseHash)
  if (oldSize === undefined || !proof.every((hash) => hash !== undefined)) return undefined
  return { oldSize, proof, note: text.slice(end + 2) }
}

/** A tree size in decimal without leading zeros; undefined past 2^53 − 1. */
export function parseSize(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const size = Number(text)
  return Number.isSafeInteger(size) ? size : undefined
}

/** Node skips what is no base64, so the text must be what the bytes would be written as. */
function parseHash(text: string): Hash | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.byteLength === 32 && bytes.toString('base64') === text ? bytes : undefined
}
