import { randomBytes } from 'node:crypto'

/** What the double holds: the data and its rules, without HTTP. */
export type HeldVersion = {
  readonly version: string
  readonly value: string
  readonly contentType: string | undefined
  readonly createdSeconds: number
  updatedSeconds: number
  isEnabled: boolean
  tags: Readonly<Record<string, string>>
  /** Requests that do not see it yet. */
  hiddenFor: number
}

export type HeldSecret = { readonly name: string; readonly versions: HeldVersion[] }

export type NewVersion = {
  readonly value: string
  readonly contentType?: string | undefined
  readonly isEnabled: boolean
  readonly tags: Readonly<Record<string, string>>
}

export type VaultState = {
  /** By name in lower case. */
  readonly secrets: Map<string, HeldSecret>
  readonly deleted: Map<string, HeldSecret>
  add(name: string, version: NewVersion): HeldVersion
  /** Seen by this request; one that does not see it counts. */
  seen(name: string): readonly HeldVersion[]
  hideNewFor(requests: number): void
}

export function vaultState(): VaultState {
  const secrets = new Map<string, HeldSecret>()
  let hidden = 0
  return {
    secrets,
    deleted: new Map(),
    add(name, { value, contentType, isEnabled, tags }) {
      const key = name.toLowerCase()
      const secret = secrets.get(key) ?? { name, versions: [] }
      secrets.set(key, secret)
      const now = Math.floor(Date.now() / 1_000)
      const version: HeldVersion = {
        ...{ version: randomBytes(16).toString('hex'), value, contentType, isEnabled, tags },
        ...{ createdSeconds: now, updatedSeconds: now, hiddenFor: hidden },
      }
      secret.versions.push(version)
      return version
    },
    seen(name) {
      const versions = secrets.get(name.toLowerCase())?.versions ?? []
      return versions.filter((each) => {
        if (each.hiddenFor === 0) return true
        each.hiddenFor -= 1
        return false
      })
    },
    hideNewFor(requests) {
      hidden = requests
    },
  }
}
