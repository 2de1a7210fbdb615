import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NoteSigner } from '#core/audit/note/signer.ts'
import { answerCheckpoint } from '#core/audit/witness/answer-checkpoint.ts'
import { httpWitness } from '#core/audit/witness/http-witness.ts'
import { listenWitness } from '#core/audit/witness/listen-witness.ts'
import { respondWitness } from '#core/audit/witness/respond-witness.ts'
import { createWitnessStore, openWitnessStore } from '#core/audit/witness/sqlite-witness-store.ts'
import type { Witness } from '#core/audit/witness/witness.ts'
import { silentLog } from '#core/log.ts'
import { makeSigner, origin, type SmallLog, smallLog } from './small-log.ts'

export const log = smallLog()
export const witnessSigner = makeSigner('witness.example.com/w1', 'cosignature')

/** A witness on a port of its own; what it opened is left to `closing`, to be run in reverse. */
export function startWitness(
  closing: (() => unknown)[],
  options: { readonly signer?: NoteSigner; readonly logSigner?: NoteSigner } = {},
) {
  const { signer = witnessSigner, logSigner = log.signer } = options
  const directory = mkdtempSync(join(tmpdir(), 'postern-witness-'))
  createWitnessStore(directory, signer.key)
  const store = openWitnessStore(directory, signer.key)
  const logs = new Map([[origin, [logSigner.key]]])
  const answer = answerCheckpoint({ signer, logs, store, now: () => new Date() })
  const respond = respondWitness({ answer, store, log: silentLog() })
  const listener = listenWitness({ respond, address: '127.0.0.1', port: 0 })
  closing.push(
    () => rmSync(directory, { recursive: true }),
    () => store.close(),
    () => listener.stop(1_000),
  )
  return { url: listener.url, store }
}

export function client(url: string, branch: SmallLog = log, signer = witnessSigner): Witness {
  const consistencyProof = async (old: number, size: number) => branch.consistency(old, size)
  return httpWitness({ name: 'w1', key: signer.key, url, consistencyProof })
}

export async function ask(witness: Witness, note: string) {
  return await witness.cosign(note, new AbortController().signal)
}
