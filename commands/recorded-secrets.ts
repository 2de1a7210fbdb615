import type { AuditLog } from '#core/audit/audit-log.ts'
import { systemRecord } from '#core/audit/record.ts'
import type { SecretReference, SecretStore } from '#core/secret/secret-store.ts'

export type RecordedSecrets = {
  readonly secrets: SecretStore | undefined
  /**
   * From here on a read waits for its record: no record, no secret. What was read before there was
   * a log, to reach the database it lives in, is recorded now. Throws `audit.unavailable`.
   */
  recordTo(audit: AuditLog, now: () => Date): Promise<void>
}

/** A store whose reads are in the audit log, by name; never the value. */
export function recordedSecrets(store: SecretStore | undefined): RecordedSecrets {
  const early = new Set<string>()
  let record: ((name: string) => Promise<void>) | undefined

  async function read(of: SecretStore, reference: SecretReference) {
    const name = `${reference.name}#${reference.member}`
    if (record === undefined) early.add(name)
    else await record(name)
    return await of.read(reference)
  }

  return {
    secrets: store && { ...store, read: (reference) => read(store, reference) },
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
