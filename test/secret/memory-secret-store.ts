import { decodeDocument, encodeDocument } from '#core/secret/secret-document.ts'
import type { ListedVersion, SecretMembers, SecretStore } from '#core/secret/secret-store.ts'
import { secretDisabled, secretNotFound, storeUnavailable } from '#core/secret/store-http.ts'

type Version = {
  readonly listed: ListedVersion
  readonly members: SecretMembers
  readonly rotation: string
}
type Secret = { current: string; versions: readonly Version[] }

export type MemorySecretStore = SecretStore & { setOutage(isOut: boolean): void }

/** Passes the contract suite beside it; can be made to fail on purpose. */
export function memorySecretStore(): MemorySecretStore {
  const secrets = new Map<string, Secret>()
  let isOut = false

  function found(name: string): Secret {
    if (isOut) throw storeUnavailable('made to fail')
    const secret = secrets.get(name)
    if (secret === undefined) throw secretNotFound(name)
    return secret
  }

  function versionOf(name: string, version: string): Version {
    const stored = found(name).versions.find(({ listed }) => listed.version === version)
    if (stored === undefined) throw secretNotFound(name, version)
    return stored
  }

  return {
    name: 'memory',
    async list() {
      if (isOut) throw storeUnavailable('made to fail')
      return [...secrets.keys()].sort()
    },
    versions: async (name) =>
      found(name)
        .versions.map(({ listed }) => listed)
        .reverse(),
    currentVersion: async (name) => found(name).current,
    async read(name, version) {
      const { listed, members } = versionOf(name, version)
      if (!listed.isEnabled) throw secretDisabled(name, version)
      return members
    },
    async stage(name, secret) {
      if (isOut) throw storeUnavailable('made to fail')
      const { members } = decodeDocument(encodeDocument(secret), name)
      const { rotation } = secret
      const known = secrets.get(name) ?? { current: '1', versions: [] }
      const present = known.versions.find((each) => each.rotation === rotation)
      if (present !== undefined) return present.listed.version
      const version = String(known.versions.length + 1)
      const listed = { version, isEnabled: true, isPending: false, createdAt: new Date() }
      secrets.set(name, { ...known, versions: [...known.versions, { listed, members, rotation }] })
      return version
    },
    async promote(name, { version }) {
      const { listed } = versionOf(name, version)
      found(name).current = listed.version
    },
    async disable(name, version) {
      const disabled = versionOf(name, version)
      const secret = found(name)
      secret.versions = secret.versions.map((each) =>
        each === disabled ? { ...each, listed: { ...each.listed, isEnabled: false } } : each,
      )
    },
    async check() {
      if (isOut) throw storeUnavailable('made to fail')
    },
    setOutage(value) {
      isOut = value
    },
  }
}
