import { ConfigError } from '../config.ts'
import { invariant } from '../invariant.ts'
import type { Log } from '../log.ts'
import { resolveCredential } from '../secret/resolve-credential.ts'
import type { SecretReader } from '../secret/secret-reader.ts'
import type { Admission, SubjectLimit } from './access-control.ts'
import type { AccessRules, IssuerRules } from './access-file.ts'
import { explainAddress } from './explain-address.ts'
import { importKeys, importSharedSecret, type Keys } from './import-keys.ts'
import { fixedKeySet, type KeySet, openRemoteKeySet, type RemoteKeySetTimes } from './key-set.ts'
import type { LocalIssuer } from './local-issuer.ts'
import type { Principal, Zone } from './principal.ts'
import type { Issuer } from './verify-token.ts'

/** Addresses whose verdict is remembered; peers are few, clients behind a proxy more. */
const admissionsMax = 10_000
const noScopes: readonly string[] = []

/** All that follows from one version of the access file; replaced as a whole. */
export type Generation = {
  readonly rules: AccessRules
  readonly issuers: ReadonlyMap<string, Issuer>
  admit(zone: Zone, remoteAddress: string | undefined, forwardedFor: string | undefined): Admission
  limitFor(principal: Principal): SubjectLimit
  scopesFor(route: string): readonly string[]
}

export type KeySources = {
  readonly secrets: SecretReader | undefined
  readonly localIssuer?: LocalIssuer | undefined
  readonly log: Log
  readonly now: () => Date
  readonly onKeysChange: () => void
  readonly keySetTimes?: RemoteKeySetTimes
}

/**
 * Opens the key sets of new issuers and takes over the others from the generation in force, so
 * that a changed file costs no fetched key. Throws `ConfigError` when keys in the file are bad,
 * `secret.not_found` or `secret.unavailable` when one in the store is out of reach.
 */
export async function openGeneration(
  rules: AccessRules,
  sources: KeySources,
  previous: Generation | undefined,
): Promise<Generation> {
  const opened = await Promise.allSettled(
    rules.issuers.map(async (entry): Promise<[string, Issuer]> => {
      refuseOtherLocal(entry, sources.localIssuer)
      const keys = takenOver(entry, previous) ?? (await openKeySet(entry, sources))
      return [entry.issuer, { rules: entry, keys }]
    }),
  )
  const issuers = new Map(
    opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
  )
  const failed = opened.find((result) => result.status === 'rejected')
  if (failed !== undefined) {
    closeUnused(issuers, previous?.issuers ?? new Map())
    throw failed.reason
  }
  return { rules, issuers, admit: admissions(rules), ...lookups(rules) }
}

/** Closes the key sets of `closing` that `kept` does not use. */
export function closeUnused(
  closing: ReadonlyMap<string, Issuer>,
  kept: ReadonlyMap<string, Issuer>,
): void {
  const used = new Set([...kept.values()].map((issuer) => issuer.keys))
  for (const { keys } of closing.values()) if (!used.has(keys)) keys.close()
}

/** A fixed set is made anew: it costs nothing, and a secret may have another version. */
function takenOver(entry: IssuerRules, previous: Generation | undefined): KeySet | undefined {
  const before = previous?.issuers.get(entry.issuer)
  if (before === undefined || !('jwksUrl' in entry.keys)) return undefined
  const isSame =
    Bun.deepEquals(before.rules.keys, entry.keys) &&
    Bun.deepEquals(before.rules.algorithms, entry.algorithms)
  return isSame ? before.keys : undefined
}

/**
 * An entry has the local issuer's name if and only if it has its keys: with keys from elsewhere
 * nobody would look who had a token made.
 */
function refuseOtherLocal(entry: IssuerRules, local: LocalIssuer | undefined): void {
  const isLocal = 'local' in entry.keys
  if (isLocal === (entry.issuer === local?.name)) return
  const problem = isLocal
    ? local === undefined
      ? 'its keys are local, and there is no local issuer; set POSTERN_ISSUER and POSTERN_ISSUER_KEYS'
      : `its keys are local, and the local issuer is POSTERN_ISSUER, ${local.name}`
    : 'it is POSTERN_ISSUER; write "keys": {"local": true}'
  throw new ConfigError([`access file: issuer ${entry.issuer}: ${problem}`])
}

async function openKeySet(entry: IssuerRules, sources: KeySources): Promise<KeySet> {
  const { keys } = entry
  if ('jwksUrl' in keys) {
    return await openRemoteKeySet({
      issuer: entry,
      jwksUrl: keys.jwksUrl,
      log: sources.log,
      now: sources.now,
      onChange: sources.onKeysChange,
      ...(sources.keySetTimes === undefined ? {} : { times: sources.keySetTimes }),
    })
  }
  if ('jwks' in keys) {
    const imported = await orConfigError(entry, importKeys(keys.jwks.keys, entry.algorithms))
    const unusable = keys.jwks.keys.find((key) => !imported.has(key.kid))
    if (unusable === undefined) return fixedKeySet(imported)
    throw new ConfigError([
      `access file: issuer ${entry.issuer}: key ${unusable.kid} fits none of its algorithms`,
    ])
  }
  if ('local' in keys) {
    invariant(sources.localIssuer !== undefined, 'an entry with local keys has a local issuer')
    return sources.localIssuer.keySet
  }
  const secret = await resolveCredential(sources.secrets, keys.secret)
  return fixedKeySet(await orConfigError(entry, importSharedSecret(secret, keys.kid)))
}

async function orConfigError(entry: IssuerRules, keys: Promise<Keys>): Promise<Keys> {
  try {
    return await keys
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // biome-ignore lint/style/useErrorCause: ConfigError takes no cause; the message says it all.
    throw new ConfigError([`access file: issuer ${entry.issuer}: ${message}`])
  }
}

/** Verdicts are remembered: the walk and the match cost more than the rest of the chain. */
function admissions(rules: AccessRules): Generation['admit'] {
  const seen = { v1: new Map(), internal: new Map(), probe: new Map() } satisfies Record<
    Zone,
    Map<string, Admission>
  >
  return (zone, remoteAddress, forwardedFor) => {
    const memory: Map<string, Admission> = seen[zone]
    const key = forwardedFor === undefined ? remoteAddress : `${remoteAddress} ${forwardedFor}`
    if (key === undefined) return explainAddress(rules, zone, undefined, undefined).admission
    const known = memory.get(key)
    if (known !== undefined) return known
    const { admission } = explainAddress(rules, zone, remoteAddress, forwardedFor)
    // Starting over beats bookkeeping: only a flood of invented headers ever fills it.
    if (memory.size >= admissionsMax) memory.clear()
    memory.set(key, admission)
    return admission
  }
}

function lookups({ limits, routes }: AccessRules): Pick<Generation, 'limitFor' | 'scopesFor'> {
  const bySubject = new Map<string, SubjectLimit>(
    limits.subjects.map((entry) => [`${entry.issuer} ${entry.subject}`, entry]),
  )
  const byRoute = new Map(Object.entries(routes))
  return {
    limitFor({ issuer, subject }) {
      if (bySubject.size === 0) return limits.default
      return bySubject.get(`${issuer} ${subject}`) ?? limits.default
    },
    scopesFor: (route) => byRoute.get(route) ?? noScopes,
  }
}
