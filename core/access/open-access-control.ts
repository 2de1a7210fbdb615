import type { AuditLog } from '../audit/audit-log.ts'
import { ConfigError } from '../config.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { SecretReader } from '../secret/secret-reader.ts'
import type { AccessControl } from './access-control.ts'
import {
  type AccessDocument,
  type AccessMode,
  type IssuerRules,
  parseAccessDocument,
  parseAccessFile,
} from './access-file.ts'
import type { DenyList } from './deny-list.ts'
import { fileVersion, followAccessFile } from './follow-access-file.ts'
import { closeUnused, type Generation, type KeySources, openGeneration } from './generation.ts'
import { keysUnavailable, type RemoteKeySetTimes } from './key-set.ts'
import type { LocalIssuer } from './local-issuer.ts'
import type { Principal } from './principal.ts'
import { tokenCache } from './token-cache.ts'
import { reject, verifyToken } from './verify-token.ts'
import { readAccessFile } from './watch-access-file.ts'

export type AccessControlOptions = {
  /** A file is watched; a document is what `up` and tests make themselves. */
  readonly source: { readonly file: string } | { readonly document: AccessDocument }
  readonly mode: AccessMode
  /** For issuers whose key is a secret reference. */
  readonly secrets?: SecretReader | undefined
  readonly localIssuer?: LocalIssuer | undefined
  readonly denyList: DenyList
  readonly audit: AuditLog
  readonly log: Log
  readonly metrics: Metrics
  readonly now: () => Date
  readonly keySetTimes?: RemoteKeySetTimes
}

export type OpenAccessControl = AccessControl & {
  readonly localIssuer: LocalIssuer | undefined
  /** What the access file in force says of the local issuer; undefined where it does not name it. */
  localRules(): IssuerRules | undefined
  /** SHA-256, lower-case hex; undefined where the rules are no file. */
  fileVersions(): FileVersions | undefined
  /** Of the issuers whose keys are fetched. */
  fetchedKeys(): FetchedKeys
  /** Looks at the access file now; resolves when a change is in force or refused. */
  reload(): Promise<void>
  /** Does not close the deny list. */
  close(): void
}

/** Of the content in force, and of what lies in its place now; empty: unreadable. */
export type FileVersions = { readonly inForce: string; readonly onDisk: string }

/** `ageMs`: of the set that was fetched longest ago; 0 where none is fetched. */
export type FetchedKeys = { readonly isMissing: boolean; readonly ageMs: number }

/** Milliseconds between two looks at how old the fetched keys are. */
const ageEveryMs = 5_000
/** Seconds; the deny list is tried every one. */
const denyListRetrySeconds = 1

/**
 * The access rules in force. Throws `ConfigError` when the first version is bad and what a secret
 * store throws; an issuer that does not answer is no error, `notReady` names it.
 */
export async function openAccessControl(options: AccessControlOptions): Promise<OpenAccessControl> {
  const { source, mode, denyList, metrics, now } = options
  const verifier = tokenVerifier({ denyList, now, generation: () => current })
  const sources = keySources(options, verifier.forget)
  const sessions = new Set<() => Promise<void>>()
  async function proveSessions(): Promise<void> {
    verifier.forget()
    await Promise.all([...sessions].map((tell) => tell()))
  }
  for (const one of [denyList, options.localIssuer]) one?.onChange(proveSessions)

  const text = 'file' in source ? await readFirst(source.file) : undefined
  const first =
    'file' in source
      ? parseAccessFile(text ?? '', mode)
      : parseAccessDocument(source.document, mode)
  let current = await openGeneration(first, sources, undefined)
  const file = { inForce: fileVersion(text ?? ''), onDisk: fileVersion(text ?? '') }

  async function apply(changed: string, record: () => Promise<void>): Promise<void> {
    const next = await openGeneration(parseAccessFile(changed, mode), sources, current)
    const before = current
    try {
      await record()
    } catch (error) {
      closeUnused(next.issuers, before.issuers)
      throw error
    }
    current = next
    file.inForce = fileVersion(changed)
    verifier.forget()
    closeUnused(before.issuers, next.issuers)
  }

  const watching =
    'file' in source
      ? followAccessFile({
          ...{ ...options, path: source.file, text: text ?? '', apply },
          onSeen(version) {
            file.onDisk = version
          },
        })
      : undefined
  const ageTimer = watchKeyAge(metrics, () => current)

  return {
    admit: (zone, remote, forwarded) => current.admit(zone, remote, forwarded),
    get forwardedHeader() {
      return current.rules.trustedProxies.header
    },
    authenticate: verifier.authenticate,
    onDenial(listener) {
      sessions.add(listener)
      return () => void sessions.delete(listener)
    },
    limitFor: (principal) => current.limitFor(principal),
    scopesFor: (route) => current.scopesFor(route),
    get callbackPrefixes() {
      return current.rules.callbackPrefixes
    },
    localIssuer: options.localIssuer,
    localRules: () => current.rules.issuers.find(({ keys }) => 'local' in keys),
    notReady: () => missing(current, denyList),
    fileVersions: () => watching && { ...file },
    fetchedKeys: () => fetchedKeys(current),
    reload: async () => await watching?.check(),
    close() {
      clearInterval(ageTimer)
      watching?.close()
      closeUnused(current.issuers, new Map())
    },
  }
}

function watchKeyAge(metrics: Metrics, current: () => Generation): Timer {
  const show = () => metrics.issuerKeysAgeSeconds.set(oldestKeysMs(current()) / 1_000)
  return setInterval(show, ageEveryMs).unref()
}

function keySources(options: AccessControlOptions, onKeysChange: () => void): KeySources {
  const { secrets, localIssuer, log, now, keySetTimes } = options
  return {
    secrets,
    localIssuer,
    log,
    now,
    onKeysChange,
    ...(keySetTimes === undefined ? {} : { keySetTimes }),
  }
}

async function readFirst(path: string): Promise<string> {
  try {
    return await readAccessFile(path)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // biome-ignore lint/style/useErrorCause: ConfigError takes no cause; the message says it all.
    throw new ConfigError([`POSTERN_ACCESS_FILE: ${path}: ${message}`])
  }
}

function missing(generation: Generation, denyList: DenyList): string | undefined {
  return denyList.isHeard() ? missingKeys(generation) : 'deny list'
}

function missingKeys(generation: Generation): string | undefined {
  for (const { keys } of generation.issuers.values()) {
    const lacking = keys.notReady()
    if (lacking !== undefined) return lacking
  }
  return undefined
}

function fetchedKeys(generation: Generation): FetchedKeys {
  const isMissing = missingKeys(generation) !== undefined
  return { isMissing, ageMs: oldestKeysMs(generation) }
}

function oldestKeysMs(generation: Generation): number {
  return Math.max(0, ...[...generation.issuers.values()].map(({ keys }) => keys.ageMs() ?? 0))
}

/** From the header to a principal; the token text before it reaches `verifyToken`. */
function tokenVerifier(options: {
  readonly denyList: DenyList
  readonly now: () => Date
  readonly generation: () => Generation
}) {
  const { denyList, now, generation } = options
  const cache = tokenCache({ now })
  const underWay = new Map<string, Promise<Principal>>()
  /** Rises with every change that may turn a verdict; one reached before it is not kept. */
  let epoch = 0

  async function verify(authorization: string, token: string): Promise<Principal> {
    const begunIn = epoch
    const principal = await verifyToken(token, generation().issuers, now())
    if (denyList.deniedBy(principal) !== undefined) reject('token.revoked')
    if (begunIn === epoch) cache.keep(authorization, principal)
    return principal
  }

  function authenticateUnseen(authorization: string): Promise<Principal> {
    const token = bearerToken(authorization)
    const running = underWay.get(authorization)
    if (running !== undefined) return running
    const started: Promise<Principal> = verify(authorization, token).finally(() => {
      if (underWay.get(authorization) === started) underWay.delete(authorization)
    })
    underWay.set(authorization, started)
    return started
  }

  return {
    authenticate(authorization: string | undefined): Principal | Promise<Principal> {
      if (authorization === undefined) reject('token.missing')
      if (!denyList.isHeard()) refuseUnheard(denyList)
      return cache.find(authorization) ?? authenticateUnseen(authorization)
    },
    forget() {
      epoch++
      cache.clear()
      // What runs goes on for those who wait for it, but nobody joins it any more.
      underWay.clear()
    },
  }
}

/** What was revoked meanwhile is not known here. */
function refuseUnheard(denyList: DenyList): never {
  const reason = denyList.isLoaded() ? 'deny_list.unheard' : 'deny_list.not_loaded'
  throw keysUnavailable(reason, denyListRetrySeconds)
}

/** RFC 6750, 2.1, with one space. Two header lines arrive joined by a comma and are refused. */
function bearerToken(authorization: string): string {
  const [, token] = /^bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization) ?? []
  return token ?? reject('token.header_malformed')
}
