import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { type FingerprintKey, fingerprintOf } from '#core/secret/rotation/fingerprint.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import type { SecretMembers, SecretStore } from '#core/secret/secret-store.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

export const secretName = 'postern/target'

/** A database with pointers and journal, and processes that use the secret. */
export async function openRotationWorld() {
  const url = await (await sharedPostgres()).createDatabase()
  const connect = (role?: 'postern_rotator') =>
    connectPostgres({ url, mode: 'development', applicationName: 'test', max: 4, role })
  const sql = connect()
  await migrate({ sql, queue: 'redis' })
  const rotator = connect('postern_rotator')
  const journal = postgresRotationJournal({
    sql: rotator,
    journal: testJournal(),
    now: () => new Date(),
  })
  const [row] = await sql<{ deployment: string; key: Buffer }[]>`
    select id as deployment, fingerprint_key as key from postern_deployment`
  if (row === undefined) throw new Error('a deployment has an id')
  const fingerprintKey: FingerprintKey = row
  const print = (members: SecretMembers) => fingerprintOf(fingerprintKey, secretName, members)

  return {
    ...{ url, sql, journal, fingerprintKey },
    async adopt(version: string, members: SecretMembers) {
      await sql`
        insert into postern_secret (name, kind, current_version, fingerprint, due_at)
        values (${secretName}, 'scripted', ${version}, decode(${print(members)}, 'hex'), now())`
    },
    /** A process that is alive and has proved nothing yet. */
    async startProcess(): Promise<string> {
      const id = Bun.randomUUIDv7()
      await sql`
        insert into postern_process (id, role, host, version) values (${id}, 'worker', 'h', 'v')`
      await sql`
        insert into postern_secret_ack (process, name, version, fingerprint)
        values (${id}, ${secretName}, '', '')`
      return id
    },
    /** It reads what the pointer says and proves it. */
    async prove(process: string, store: Pick<SecretStore, 'read'>) {
      const pointer = await journal.pointer(secretName)
      if (pointer === undefined) return
      const fingerprint = print(await store.read(secretName, pointer.current))
      await sql`
        update postern_secret_ack set version = ${pointer.current},
          fingerprint = decode(${fingerprint}, 'hex'), proved_at = now()
        where process = ${process} and name = ${secretName}`
    },
    async clear() {
      await sql`
        truncate postern_secret, postern_secret_rotation, postern_secret_ack, postern_process,
          postern_audit_intake`
    },
    async close() {
      await Promise.all([sql.end({ timeout: 1 }), rotator.end({ timeout: 1 })])
    },
  }
}

export type RotationWorld = Awaited<ReturnType<typeof openRotationWorld>>
