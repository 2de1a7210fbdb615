// A witness that can be killed. Arguments: data directory, signer key, verifier key of the log.
import { parseSignerKey } from '#core/audit/note/signer.ts'
import { parseVerifierKey } from '#core/audit/note/verifier-key.ts'
import { answerCheckpoint } from '#core/audit/witness/answer-checkpoint.ts'
import { listenWitness } from '#core/audit/witness/listen-witness.ts'
import { respondWitness } from '#core/audit/witness/respond-witness.ts'
import { openWitnessStore } from '#core/audit/witness/sqlite-witness-store.ts'
import { silentLog } from '#core/log.ts'

const [directory = '', signerKey = '', logKey = ''] = process.argv.slice(2)
const signer = parseSignerKey(signerKey)
const key = parseVerifierKey(logKey)
const store = openWitnessStore(directory, signer.key)
const logs = new Map([[key.name, [key]]])
const answer = answerCheckpoint({ signer, logs, store, now: () => new Date() })
const respond = respondWitness({ answer, store, log: silentLog() })
const listener = listenWitness({ respond, address: '127.0.0.1', port: 0 })
process.stdout.write(`${listener.url}\n`)
