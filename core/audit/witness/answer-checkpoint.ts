import { invariant } from '../../invariant.ts'
import { parseCheckpoint } from '../note/checkpoint.ts'
import { cosign } from '../note/cosignature.ts'
import { formatNote, parseNote } from '../note/note.ts'
import type { NoteSigner } from '../note/signer.ts'
import {
  judgeGrowth,
  type Refusal,
  readRequest,
  type SignedRequest,
  type TrustedLogs,
} from './judge-checkpoint.ts'
import { originHash, type WitnessStore } from './witness-store.ts'

/** What to answer, and for the log of which request; `request` only where a known log signed it. */
export type CheckpointAnswer = { readonly request?: SignedRequest } & (
  | { readonly status: 200; readonly lines: string }
  | { readonly status: 409; readonly size: number }
  | (Refusal & { readonly isFork?: boolean })
)

/** One process holds the store, so that not even the second is ever needed. */
const triesMax = 3

export type AnswerCheckpoint = (body: string) => CheckpointAnswer

/**
 * The witness: judges a request and cosigns what is consistent with all it cosigned before. The
 * cosignature is in the store before it is returned. Throws what the store throws, and then
 * nothing was given away.
 */
export function answerCheckpoint(options: {
  readonly signer: NoteSigner
  readonly logs: TrustedLogs
  readonly store: WitnessStore
  readonly now: () => Date
}): AnswerCheckpoint {
  const { signer, logs, store, now } = options

  function answer(body: string, triesLeft: number): CheckpointAnswer {
    const request = readRequest(body, logs)
    if ('status' in request) return request
    const { origin } = request.checkpoint
    const hash = originHash(origin)
    const previous = store.find(hash)
    const latest = previous === undefined ? undefined : parseCheckpoint(parseNote(previous).text)
    const judged = judgeGrowth(request, latest)
    switch (judged.judgement) {
      case 'conflict':
        return { status: 409, size: judged.size, request }
      case 'inconsistent':
        return { status: 422, reason: judged.reason, isFork: judged.isFork, request }
      case 'grown': {
        const lines = cosign(request.signed.text, posixSeconds(now()), signer)
        const next = formatNote(request.signed) + lines
        if (store.replace(hash, previous, next)) return { status: 200, lines, request }
        // Another request was first: this one is judged against what that one left.
        invariant(triesLeft > 0, 'the store keeps refusing what it has just given out')
        return answer(body, triesLeft - 1)
      }
    }
  }
  return (body) => answer(body, triesMax)
}

function posixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1_000)
}
