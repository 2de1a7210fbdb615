import type { CryptoKey } from 'jose'
import { PosternError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { IssuerRules, TokenAlgorithm } from './access-file.ts'
import { fetchKeySet } from './fetch-key-set.ts'
import { importKeys, type Keys } from './import-keys.ts'

/** The keys of one issuer. */
export type KeySet = {
  /**
   * Throws `auth.token_rejected` for a key that the issuer does not have, `auth.keys_unavailable`
   * when that cannot be known.
   */
  find(kid: string, algorithm: TokenAlgorithm): CryptoKey | Promise<CryptoKey>
  /** Milliseconds since the last good fetch; undefined for keys that are not fetched. */
  ageMs(): number | undefined
  /** What is missing before tokens of this issuer can be verified. */
  notReady(): string | undefined
  close(): void
}

/** Keys that came with the access file or from the secret store. */
export function fixedKeySet(keys: Keys): KeySet {
  return {
    find: (kid, algorithm) => keys.get(kid)?.get(algorithm) ?? rejectUnknownKey(),
    ageMs: () => undefined,
    notReady: () => undefined,
    close: () => undefined,
  }
}

export type RemoteKeySetTimes = {
  /** Between two fetches, whatever asks for them and however they ended. */
  readonly cooldownMs: number
  /** Between two fetches nobody asked for, so that a rotation is seen before its first token. */
  readonly refreshMs: number
  /** How long keys are served while the issuer is down; then its tokens are refused. */
  readonly hardAgeMs: number
  readonly timeoutMs: number
  /** How long a kid that was asked for in vain leads to no further fetch. */
  readonly absentMs: number
}

export const remoteKeySetTimes: RemoteKeySetTimes = {
  cooldownMs: 10_000,
  refreshMs: 300_000,
  // A key that leaked while its issuer was down is revoked by `kid`, not by waiting for this.
  hardAgeMs: 24 * 3_600_000,
  timeoutMs: 5_000,
  // Short: an issuer may sign with a key a little before its key set shows it everywhere.
  absentMs: 60_000,
}

/** Absent kids remembered between two refreshes; beyond it the cooldown alone protects. */
const absentKidsMax = 1_000

export type RemoteKeySetOptions = {
  readonly issuer: Pick<IssuerRules, 'issuer' | 'algorithms'>
  readonly jwksUrl: string
  readonly log: Log
  readonly now: () => Date
  /** Called when the keys have changed. */
  readonly onChange: () => void
  readonly times?: RemoteKeySetTimes
}

/**
 * Keys fetched from the issuer. Resolves after the first attempt, good or not. An unknown kid
 * leads to at most one fetch per cooldown, shared by all who wait for it.
 */
export async function openRemoteKeySet(options: RemoteKeySetOptions): Promise<KeySet> {
  const { issuer, now, times = remoteKeySetTimes } = options
  const source = remoteKeys({ ...options, times })
  const keyOf = (kid: string, algorithm: TokenAlgorithm) =>
    source.current()?.get(kid)?.get(algorithm)

  /**
   * While the set is as fresh as in quiet times, an unknown key is the caller's fault even if the
   * issuer just failed to answer: else anybody could turn junk tokens into outages of ours.
   */
  function refuseUnknown(): never {
    const age = source.ageMs()
    if (age !== undefined && age <= 2 * times.refreshMs) rejectUnknownKey()
    const waitMs = source.attemptedAtMs() + times.cooldownMs - now().getTime()
    throw keysUnavailable('keys.fetch_failed', Math.ceil(waitMs / 1_000))
  }

  async function findAfterRefresh(kid: string, algorithm: TokenAlgorithm): Promise<CryptoKey> {
    const isAnswered = await source.refresh()
    const key = keyOf(kid, algorithm)
    if (key !== undefined) return key
    if (isAnswered) source.noteAbsent(kid)
    return refuseUnknown()
  }

  function find(kid: string, algorithm: TokenAlgorithm): CryptoKey | Promise<CryptoKey> {
    const key = keyOf(kid, algorithm)
    if (key !== undefined) return key
    const isCoolingDown = now().getTime() - source.attemptedAtMs() < times.cooldownMs
    const mayAsk = !isCoolingDown && !source.isKnownAbsent(kid)
    return mayAsk || source.isRefreshing() ? findAfterRefresh(kid, algorithm) : refuseUnknown()
  }

  await source.refresh()
  return {
    find,
    ageMs: source.ageMs,
    notReady: () =>
      source.current() === undefined ? `keys of issuer ${issuer.issuer}` : undefined,
    close: source.close,
  }
}

type Fetched = { readonly keys: Keys; readonly text: string; readonly atMs: number }

/** The keys as last fetched, and when to fetch them again. */
function remoteKeys(options: RemoteKeySetOptions & { readonly times: RemoteKeySetTimes }) {
  const { issuer, jwksUrl, log, now, onChange, times } = options
  let fetched: Fetched | undefined
  let attemptedAtMs = Number.NEGATIVE_INFINITY
  let running: Promise<boolean> | undefined
  let isClosed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const absentKids = new Map<string, number>()
  const ageMs = () => (fetched === undefined ? undefined : now().getTime() - fetched.atMs)

  async function attempt(): Promise<boolean> {
    const atMs = now().getTime()
    try {
      const published = await fetchKeySet(jwksUrl, times.timeoutMs)
      const keys = await importKeys(published, issuer.algorithms)
      const text = JSON.stringify(published)
      const isChanged = text !== fetched?.text
      fetched = { keys, text, atMs }
      absentKids.clear()
      if (isChanged && !isClosed) {
        log.info('keys.changed', { issuer: issuer.issuer, keys: keys.size })
        onChange()
      }
      return true
    } catch (error) {
      log.warn('keys.fetch_failed', { issuer: issuer.issuer, ageMs: ageMs(), error })
      return false
    }
  }

  /** A gateway that is not ready gets no tokens that would make it ask, so it asks by itself. */
  async function attemptAndSchedule(): Promise<boolean> {
    clearTimeout(timer)
    const isGood = await attempt()
    attemptedAtMs = now().getTime()
    running = undefined
    if (isClosed) return isGood
    timer = setTimeout(() => void refresh(), isGood ? times.refreshMs : times.cooldownMs)
    timer.unref()
    return isGood
  }

  /** Whether the issuer answered with keys; concurrent calls share one fetch. */
  function refresh(): Promise<boolean> {
    running ??= attemptAndSchedule()
    return running
  }

  return {
    refresh,
    ageMs,
    attemptedAtMs: () => attemptedAtMs,
    isRefreshing: () => running !== undefined,
    /** Undefined once they are too old to be believed. */
    current: () =>
      (ageMs() ?? Number.POSITIVE_INFINITY) <= times.hardAgeMs ? fetched?.keys : undefined,
    isKnownAbsent: (kid: string) => now().getTime() < (absentKids.get(kid) ?? 0),
    noteAbsent(kid: string) {
      if (absentKids.size < absentKidsMax) absentKids.set(kid, now().getTime() + times.absentMs)
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

export function rejectUnknownKey(): never {
  throw new PosternError('auth.token_rejected', { reason: 'token.key_unknown' })
}

export function keysUnavailable(
  reason: string,
  waitSeconds: number,
  cause?: unknown,
): PosternError {
  return new PosternError('auth.keys_unavailable', {
    reason,
    retryAfterSeconds: Math.max(1, waitSeconds),
    cause,
  })
}
