import type { Sql } from 'postgres'
import { z } from 'zod'
import { rethrowAsOutage } from '../../postgres/outage.ts'

const time = z.date().transform((at) => at.toISOString())

/** Names, versions and who has proved what; never a value. Snake case: it is answered as it is. */
export const secretDocumentSchema = z.object({
  name: z.string(),
  kind: z.string().nullable().meta({ description: 'How it is rotated; null: by hand' }),
  current_version: z.string(),
  previous_version: z.string().nullable(),
  rotation_days: z.int(),
  rotated_at: z.string().nullable(),
  due_at: z.string(),
  is_due: z.boolean(),
  rotation: z
    .object({
      id: z.string(),
      step: z.string(),
      attempts: z.int().meta({ description: 'How often the step has failed' }),
      error: z.string().nullable(),
      opened_at: z.string(),
    })
    .nullable()
    .meta({ description: 'The one that is open' }),
  used_by: z.array(
    z.object({
      process: z.uuid(),
      role: z.string(),
      host: z.string(),
      version: z.string().nullable().meta({ description: 'The last that it has proved' }),
      proved_at: z.string().nullable(),
      is_proved: z.boolean().meta({ description: 'Of the version that is in force' }),
    }),
  ),
  uses: z.array(
    z.object({
      used_by: z.string().meta({ description: 'role@host' }),
      reads: z.int().meta({ description: 'How often a value was given, also from memory' }),
      first_at: z.string(),
      last_at: z.string(),
    }),
  ),
})
secretDocumentSchema.register(z.globalRegistry, { title: 'Secret' })
export type SecretDocument = z.infer<typeof secretDocumentSchema>

/** A configuration has tens. */
const secretsMax = 200

const rowsSchema = z.array(
  z.object({
    ...secretDocumentSchema.shape,
    rotated_at: time.nullable(),
    due_at: time,
  }),
)

export type SecretReads = {
  /** By name, at most 200. Throws `database.unavailable`. */
  list(): Promise<readonly SecretDocument[]>
}

export function secretReads(sql: Sql): SecretReads {
  return { list: () => listSecrets(sql).catch(rethrowAsOutage) }
}

/** Whether one is due is the database's to say: its clock made the date. */
async function listSecrets(sql: Sql): Promise<readonly SecretDocument[]> {
  return rowsSchema.parse(
    await sql`
      select s.name, s.kind, s.current_version, s.previous_version, s.rotation_days, s.rotated_at,
        s.due_at, s.due_at <= now() as is_due,
        (select jsonb_build_object('id', r.id, 'step', r.step, 'attempts', r.attempts,
            'error', r.error, 'opened_at', r.opened_at)
          from postern_secret_rotation r where r.name = s.name and r.ended_at is null) as rotation,
        coalesce((
          select jsonb_agg(jsonb_build_object('process', p.id, 'role', p.role, 'host', p.host,
              'version', nullif(a.version, ''),
              'proved_at', case when a.version <> '' then a.proved_at end,
              'is_proved', a.version = s.current_version and a.fingerprint = s.fingerprint)
            order by p.id)
          from postern_secret_ack a join postern_process p on p.id = a.process
          where a.name = s.name), '[]') as used_by,
        coalesce((
          select jsonb_agg(jsonb_build_object('used_by', u.used_by, 'reads', u.reads,
              'first_at', u.first_at, 'last_at', u.last_at) order by u.used_by)
          from postern_secret_use u where u.name = s.name), '[]') as uses
      from postern_secret s order by s.name limit ${secretsMax}`,
  )
}
