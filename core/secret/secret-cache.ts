import { PosternError } from '../errors.ts'
import type { SecretReader } from './secret-reader.ts'
import type { SecretStore } from './secret-store.ts'
import { SecretValue } from './secret-value.ts'
import { storeUnavailable } from './store-http.ts'

/** Milliseconds; an older value is given once more and read again meanwhile. */
const softAgeMs = 15_000
/** Milliseconds; an older value is never given: whoever revoked it may count on that. */
const hardAgeMs = 45_000
/** Names; a configuration has tens. */
const namesMax = 200

export type SecretCacheOptions = {
  readonly store: Pick<SecretStore, 'read'>
  /** The version in force. Throws what the store throws. */
  readonly currentVersion: (name: string) => Promise<string>
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs?: () => number
  /** False while nobody knows which versions are revoked: then nothing is given. */
  readonly isHeard?: () => boolean
  readonly onAccess?: (access: 'hit' | 'miss') => void
}

export type SecretCache = SecretReader & {
  /** Forgets a name, or all: what is being read for it meanwhile is not kept either. */
  invalidate(name?: string): void
}

type Known = { readonly value: SecretValue; readonly version: string; readonly readAtMs: number }
type Entry = { known: Known | undefined; reading: Promise<Known> | undefined }

/**
 * Secrets by name, in memory, for at most 45 s since they were asked for: a store that is away
 * longer than that stops new logins, and nothing that is already open. Values that many ask for at
 * once are read once.
 */
export function secretCache(options: SecretCacheOptions): SecretCache {
  const { store, currentVersion, monotonicMs = () => performance.now(), onAccess } = options
  /** The name that was asked for longest ago comes first. */
  const entries = new Map<string, Entry>()

  function entryOf(name: string): Entry {
    const entry = entries.get(name) ?? { known: undefined, reading: undefined }
    entries.delete(name)
    entries.set(name, entry)
    for (const [oldest] of entries) {
      if (entries.size <= namesMax) break
      entries.delete(oldest)
    }
    return entry
  }

  /** The age counts from before the question: whatever happened since is not in the answer. */
  async function readNow(name: string): Promise<Known> {
    const readAtMs = monotonicMs()
    const version = await currentVersion(name)
    const members = await store.read(name, version)
    return { value: new SecretValue(members, { name, version }), version, readAtMs }
  }

  function refresh(name: string, entry: Entry): Promise<Known> {
    entry.reading ??= readNow(name)
      .then((known) => {
        // Invalidated meanwhile, the entry is nobody's any more.
        entry.known = known
        return known
      })
      .finally(() => {
        entry.reading = undefined
      })
    return entry.reading
  }

  async function knownOf(name: string): Promise<Known> {
    if (options.isHeard?.() === false) {
      throw storeUnavailable(`which version of ${name} is in force was not heard for too long`)
    }
    const entry = entryOf(name)
    const ageMs = entry.known === undefined ? Infinity : monotonicMs() - entry.known.readAtMs
    if (entry.known === undefined || ageMs >= hardAgeMs) {
      onAccess?.('miss')
      const known = await refresh(name, entry)
      if (monotonicMs() - known.readAtMs < hardAgeMs) return known
      throw storeUnavailable(`${name} took longer to be read than it may be old`)
    }
    onAccess?.('hit')
    // Whoever asks after the hard age is told why it fails.
    if (ageMs >= softAgeMs) refresh(name, entry).catch(() => undefined)
    return entry.known
  }

  return {
    async read({ name, member }) {
      const { value, version } = await knownOf(name)
      const text = value.member(member)
      if (text !== undefined) return { version, value: text }
      const reason = `secret:${name}#${member} does not exist`
      throw new PosternError('secret.not_found', { reason })
    },
    invalidate(name) {
      if (name === undefined) entries.clear()
      else entries.delete(name)
    },
  }
}
