import type { AuditLog } from '#core/audit/audit-log.ts'
import { systemRecord } from '#core/audit/record.ts'
import type { Config } from '#core/config.ts'
import type { Metrics } from '#core/metrics.ts'
import { meteredStore } from '#core/secret/metered-store.ts'
import type { FollowedStore } from '#core/secret/secret-follower.ts'
import { type SecretPointers, secretPointers } from '#core/secret/secret-pointers.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { openSecretStore, readerOf } from './open-secret-store.ts'

export type RecordedSecrets = {
  readonly secrets: SecretReader | undefined
  /** The store behind it, version by version. */
  readonly store: (SecretStore & Required<FollowedStore>) | undefined
  /** What the pointers of Postgres say, from when they are followed. */
  readonly pointers: SecretPointers
  /**
   * From here on a read waits for its record: no record, no secret. What was read before there was
   * a log, to reach the database it lives in, is recorded now. Throws `audit.unavailable`.
   */
  recordTo(audit: AuditLog, now: () => Date): Promise<void>
}

/** Milliseconds between two attempts to record what was read before it could be. */
const settleMs = 1_000

/** A reader whose reads are in the audit log, by name; never the value. */
export function recordedSecrets(
  reader: SecretReader | undefined,
  store?: SecretStore,
  pointers: SecretPointers = secretPointers(),
): RecordedSecrets {
  const early = new Set<string>()
  const owed = new Set<string>()
  let record: ((name: string) => Promise<void>) | undefined

  async function settle(): Promise<void> {
    for (const name of owed) {
      await record?.(name)
      owed.delete(name)
    }
  }

  function settleSoon(): void {
    setTimeout(() => void settle().catch(settleSoon), settleMs).unref()
  }

  async function recorded(name: string): Promise<void> {
    if (record === undefined) early.add(name)
    else await record(name)
  }

  return {
    pointers,
    secrets: reader && {
      async read(reference) {
        await recorded(`${reference.name}#${reference.member}`)
        const given = await reader.read(reference)
        pointers.used(reference.name)
        return given
      },
    },
    store: store && {
      ...store,
      async read(name, version) {
        await recorded(`${name}@${version}`)
        const members = await store.read(name, version)
        pointers.used(name)
        return members
      },
      async readOwing(name, version) {
        const members = await store.read(name, version)
        owed.add(`${name}@${version}`)
        settleSoon()
        return members
      },
    },
    async recordTo(audit, now) {
      record = (name) => {
        const id = Bun.randomUUIDv7()
        const target = `secret/${name}`
        const type = 'secret.read'
        return audit.append(systemRecord({ id, type, at: now(), target, outcome: 'ok' }))
      }
      for (const name of early) await record(name)
    },
  }
}

/** Of the store that the configuration names, counted where `metrics` are exported. */
export function openRecordedSecrets(config: Config, metrics?: Metrics): RecordedSecrets {
  const opened = openSecretStore(config)
  if (opened === undefined) return recordedSecrets(undefined)
  const { store } = opened
  const read = metrics === undefined ? store : meteredStore(store, metrics)
  const pointers = secretPointers()
  return recordedSecrets(readerOf(store, { metrics, pointers }), read, pointers)
}
