import { readBoundedText } from '../../reading/read-bounded-text.ts'
import { parseCheckpoint } from '../note/checkpoint.ts'
import { verifyCosignature } from '../note/cosignature.ts'
import { formatNote, parseNote } from '../note/note.ts'
import { NoteError } from '../note/note-error.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import type { Hash } from '../tree/hash.ts'
import {
  type AddCheckpoint,
  formatAddCheckpoint,
  parseSize,
  sizeMediaType,
} from './add-checkpoint.ts'
import type { Witness, WitnessOutcome } from './witness.ts'

/** Bytes; a witness with several keys answers with a few lines of 200. */
const answerBytesMax = 16_384
/** Signature lines of an answer that are looked at. */
const linesMax = 32
/** Characters of a refusal's reason that are kept. */
const reasonCharsMax = 200
/** Milliseconds for one request; the caller's signal may end it sooner. */
const requestMsMax = 10_000
/** The first names the size, the second asks with it, the third is for a log that has two leaders. */
const triesMax = 3

/** RFC 6962, 2.1.2, from what the published tiles hold; rejects where it cannot be made. */
export type ConsistencyProof = (oldSize: number, newSize: number) => Promise<readonly Hash[]>

/**
 * A witness that is asked over C2SP tlog-witness. `url` is its prefix. Redirects are not followed:
 * the policy says whom to ask.
 */
export function httpWitness(options: {
  readonly name: string
  readonly key: VerifierKey
  readonly url: string
  readonly consistencyProof: ConsistencyProof
}): Witness {
  const { name, key, consistencyProof } = options
  const url = `${options.url.replace(/\/$/, '')}/add-checkpoint`
  /** What the witness is believed to have cosigned; a wrong belief costs one round trip. */
  let cosignedSize = 0
  let isAsking = false

  async function ask(noteText: string, signal: AbortSignal): Promise<WitnessOutcome> {
    const parsed = parseNote(noteText)
    const { size } = parseCheckpoint(parsed.text)
    const note = formatNote({
      text: parsed.text,
      signatures: parsed.signatures.filter(({ name, id }) => name !== key.name || id !== key.id),
    })
    const within = AbortSignal.any([signal, AbortSignal.timeout(requestMsMax)])
    for (let tries = 0; tries < triesMax; tries += 1) {
      const oldSize = Math.min(cosignedSize, size)
      const proof = oldSize === 0 ? [] : await consistencyProof(oldSize, size)
      const sent = { oldSize, proof, note }
      const answer = await post(url, formatAddCheckpoint(sent), within)
      const read = readAnswer({ answer, sent, size, key })
      if ('outcome' in read) {
        if (read.outcome === 'cosigned') cosignedSize = size
        return read
      }
      cosignedSize = read.cosignedSize
    }
    return unavailable('it names another size at every request')
  }

  return {
    name,
    async cosign(note, signal) {
      if (isAsking) return unavailable('the request before is still under way')
      isAsking = true
      try {
        return await ask(note, signal)
      } catch (error) {
        return unavailable(error instanceof Error ? error.message : String(error))
      } finally {
        isAsking = false
      }
    },
  }
}

type Answer = { readonly status: number; readonly mediaType: string; readonly body: string }

async function post(url: string, body: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    signal,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body,
  })
  const limits = { bytesMax: answerBytesMax, timeoutMs: requestMsMax }
  const text = await readBoundedText(response, limits)
  if (typeof text === 'object') throw new Error(`unreadable answer: ${text.reason}`)
  const { status, headers } = response
  return { status, mediaType: headers.get('content-type') ?? '', body: text }
}

/** `cosignedSize`: ask again with this as the old size. */
function readAnswer(exchange: {
  readonly answer: Answer
  readonly sent: AddCheckpoint
  readonly size: number
  readonly key: VerifierKey
}): WitnessOutcome | { readonly cosignedSize: number } {
  const { answer, sent, size, key } = exchange
  const { status, body } = answer
  switch (status) {
    case 200:
      return findCosignature(sent.note, body, key)
    case 409: {
      const named = answer.mediaType === sizeMediaType ? parseSizeLine(body) : undefined
      if (named === undefined) return unavailable('answered 409 without a size')
      if (named > size) return { outcome: 'rolled-back', size: named }
      if (named !== sent.oldSize) return { cosignedSize: named }
      // What the specification said until 2025 of another root at the same size.
      if (named === size) return inconsistent(sent, answer)
      return unavailable('answered 409 with the size it was asked with')
    }
    case 422:
      return inconsistent(sent, answer)
    case 400:
    case 403:
    case 404:
      return { outcome: 'refused', status, reason: body.trim().slice(0, reasonCharsMax) }
    default:
      return unavailable(`answered ${status}`)
  }
}

function parseSizeLine(text: string): number | undefined {
  return text.endsWith('\n') ? parseSize(text.slice(0, -1)) : undefined
}

/** Lines of other keys, and lines that are none, are passed over. */
function findCosignature(note: string, body: string, key: VerifierKey): WitnessOutcome {
  for (const text of body.split('\n').slice(0, linesMax)) {
    const line = `${text}\n`
    const cosignature = verifyLine(`${note}${line}`, key)
    if (cosignature !== undefined) return { outcome: 'cosigned', line, ...cosignature }
  }
  return unavailable('answered 200 without a cosignature of its key')
}

function verifyLine(note: string, key: VerifierKey) {
  try {
    return verifyCosignature(parseNote(note), key)
  } catch (error) {
    if (error instanceof NoteError) return undefined
    throw error
  }
}

function inconsistent(sent: AddCheckpoint, { status, body }: Answer): WitnessOutcome {
  return { outcome: 'inconsistent', evidence: { ...sent, status, answer: body } }
}

function unavailable(reason: string): WitnessOutcome {
  return { outcome: 'unavailable', reason }
}
