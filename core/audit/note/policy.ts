import { encodeBase64 } from './base64.ts'
import { verifyCosignature } from './cosignature.ts'
import type { Note } from './note.ts'
import { NoteError } from './note-error.ts'
import { parseVerifierKey, type VerifierKey } from './verifier-key.ts'

/** C2SP tlog-policy: which logs are believed, and whose cosignatures that takes. */
export type WitnessPolicy = {
  readonly logs: readonly { readonly key: VerifierKey; readonly url: string | undefined }[]
  readonly witnesses: readonly PolicyWitness[]
  readonly quorum: Quorum
}

export type PolicyWitness = {
  readonly name: string
  readonly key: VerifierKey
  readonly url: string | undefined
}

/** A witness, or so many of a group's members; `none` asks for nothing. */
export type Quorum =
  | { readonly kind: 'none' }
  | { readonly kind: 'witness'; readonly witness: PolicyWitness }
  | { readonly kind: 'group'; readonly threshold: number; readonly members: readonly Quorum[] }

/** The specification asks for 32 of each; a note has room for the signatures of so many witnesses. */
const witnessesMax = 64
const entriesMax = 256
const charsMax = 262_144

type Definitions = {
  readonly logs: WitnessPolicy['logs'][number][]
  readonly witnesses: PolicyWitness[]
  readonly names: Map<string, Quorum>
  readonly members: Set<string>
  readonly keys: Set<string>
  quorum: Quorum | undefined
}

/** Throws `NoteError` `policy_malformed`, which names the line. */
export function parsePolicy(text: string): WitnessPolicy {
  if (text.length > charsMax) throw new NoteError('policy_malformed', 'the policy is too long')
  const definitions: Definitions = {
    ...{ logs: [], witnesses: [], names: new Map(), members: new Set(), keys: new Set() },
    quorum: undefined,
  }
  for (const [index, line] of text.split('\n').entries()) {
    try {
      readLine(line, definitions)
    } catch (cause) {
      if (!(cause instanceof NoteError)) throw cause
      // biome-ignore lint/style/useErrorCause: it is the third argument here.
      throw new NoteError('policy_malformed', `line ${index + 1}: ${cause.message}`, { cause })
    }
  }
  const { logs, witnesses, quorum } = definitions
  if (quorum === undefined) throw new NoteError('policy_malformed', 'the policy has no quorum line')
  return { logs, witnesses, quorum }
}

/** What the specification forbids: control characters but the tab. */
const controlCharacter = /[^\t\u{20}-\u{7e}\u{80}-\u{10ffff}]/u

function readLine(line: string, definitions: Definitions): void {
  if (controlCharacter.test(line)) throw refused('holds a control character')
  const [kind = '#', ...words] = line.split(/[ \t]+/).filter((word) => word !== '')
  if (kind.startsWith('#')) return
  const read = readers.get(kind)
  if (read === undefined) throw refused('begins with none of log, witness, group and quorum')
  read(words, definitions)
}

const readers: ReadonlyMap<string, (words: readonly string[], into: Definitions) => void> = new Map(
  [
    ['log', readLog],
    ['witness', readWitness],
    ['group', readGroup],
    ['quorum', readQuorum],
  ],
)

function readLog(words: readonly string[], { logs, keys }: Definitions): void {
  const [vkey = '', url, ...rest] = words
  if (rest.length > 0) throw refused('has more than a key and a URL')
  logs.push({ key: newKey(vkey, 'ed25519', keys), url: checkedUrl(url) })
  if (logs.length > entriesMax) throw refused('names too many logs')
}

function readWitness(words: readonly string[], definitions: Definitions): void {
  const [name = '', vkey = '', url, ...rest] = words
  if (rest.length > 0) throw refused('has more than a name, a key and a URL')
  const key = newKey(vkey, 'cosignature', definitions.keys)
  const witness = { name, key, url: checkedUrl(url) }
  defineName(name, { kind: 'witness', witness }, definitions)
  definitions.witnesses.push(witness)
  if (definitions.witnesses.length > witnessesMax) throw refused('names too many witnesses')
}

function readGroup(words: readonly string[], definitions: Definitions): void {
  const [name = '', threshold = '', ...members] = words
  if (members.length === 0) throw refused('is a group without members')
  const found = members.map((member) => {
    const defined = definitions.names.get(member)
    if (defined === undefined) throw refused(`names ${member} before it is defined`)
    if (definitions.members.has(member)) throw refused(`puts ${member} into a second group`)
    definitions.members.add(member)
    return defined
  })
  const count = thresholdOf(threshold, members.length)
  defineName(name, { kind: 'group', threshold: count, members: found }, definitions)
}

function thresholdOf(text: string, members: number): number {
  if (text === 'all') return members
  if (text === 'any') return 1
  const count = Number(text)
  if (/^[1-9]\d{0,2}$/.test(text) && count <= members) return count
  throw refused('has a threshold that is none of all, any and 1 to the number of members')
}

function readQuorum(words: readonly string[], definitions: Definitions): void {
  const [name = '', ...rest] = words
  if (name === '' || rest.length > 0) throw refused('does not name one quorum')
  if (definitions.quorum !== undefined) throw refused('is a second quorum')
  definitions.quorum = name === 'none' ? { kind: 'none' } : definitions.names.get(name)
  if (definitions.quorum === undefined) throw refused(`names ${name} before it is defined`)
}

function defineName(name: string, quorum: Quorum, { names }: Definitions): void {
  if (name === 'none') throw refused('defines none, which is no group')
  if (names.has(name)) throw refused(`defines ${name} again`)
  names.set(name, quorum)
  if (names.size > entriesMax) throw refused('defines too many names')
}

function newKey(text: string, type: VerifierKey['type'], keys: Set<string>): VerifierKey {
  const key = parseVerifierKey(text)
  if (key.type !== type) {
    throw refused(type === 'ed25519' ? 'has no log key' : 'has no key of a cosigner')
  }
  // Not by name: a cosignature does not say whose it is, so one holder could stand in for two.
  const known = encodeBase64(key.publicKey)
  if (keys.has(known)) throw refused('names a key again')
  keys.add(known)
  return key
}

function checkedUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return text
  throw refused('has a URL that is neither http nor https')
}

function refused(problem: string): NoteError {
  return new NoteError('policy_malformed', problem)
}

export type QuorumJudgement = {
  readonly satisfied: boolean
  /** Names of witnesses. */
  readonly cosigned: readonly string[]
  readonly missing: readonly string[]
  /** POSIX seconds of the newest cosignature; undefined without one. */
  readonly newestSeconds: number | undefined
}

/** Whose cosignatures stand under a note, and whether that is enough. */
export function judgeQuorum(policy: WitnessPolicy, note: Note): QuorumJudgement {
  const times = new Map<string, number>()
  for (const { name, key } of policy.witnesses) {
    const cosignature = verifyCosignature(note, key)
    if (cosignature !== undefined) times.set(name, cosignature.timeSeconds)
  }
  const names = policy.witnesses.map(({ name }) => name)
  return {
    satisfied: isSatisfied(policy.quorum, times),
    cosigned: names.filter((name) => times.has(name)),
    missing: names.filter((name) => !times.has(name)),
    newestSeconds: times.size === 0 ? undefined : Math.max(...times.values()),
  }
}

function isSatisfied(quorum: Quorum, times: ReadonlyMap<string, number>): boolean {
  if (quorum.kind === 'none') return true
  if (quorum.kind === 'witness') return times.has(quorum.witness.name)
  return quorum.members.filter((member) => isSatisfied(member, times)).length >= quorum.threshold
}
