import type { Sql } from 'postgres'
import type { AuditJournal } from '../../audit/journal.ts'
import { recordedTransaction } from '../../audit/journal-rows.ts'
import { systemRecord } from '../../audit/record.ts'

/** Days until a secret is due that nobody has said anything else of. */
const rotationDays = 90

export type FoundVersion = {
  readonly name: string
  readonly version: string
  /** Hex, of the version's members. */
  readonly fingerprint: string
}

/** Makes the pointer of a secret that has none, with its record; leaves one that is there alone. */
export async function adoptPointer(
  { sql, journal, now }: { readonly sql: Sql; readonly journal: AuditJournal; now: () => Date },
  { name, version, fingerprint }: FoundVersion,
): Promise<void> {
  await recordedTransaction(sql, journal, async (transaction, write) => {
    const made = await transaction`
      insert into postern_secret (name, current_version, fingerprint, rotation_days, due_at)
      values (${name}, ${version}, decode(${fingerprint}, 'hex'), ${rotationDays},
        now() + make_interval(hours => 24 * ${rotationDays}))
      on conflict do nothing returning name`
    if (made.length === 0) return
    await write([
      systemRecord({
        ...{ id: Bun.randomUUIDv7(), type: 'secret.adopted', at: now(), outcome: 'ok' },
        ...{ target: `secret/${name}`, details: { version } },
      }),
    ])
  })
}
