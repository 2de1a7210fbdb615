// An older backup of the database comes back, while the published log went on.
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { runCommand } from '#test/support/server-process.ts'
import { logSize } from './audit-load.ts'
import { type AuditStage, type CommandEnd, until } from './audit-stage.ts'
import type { Table } from './audit-table.ts'
import { post } from './stage.ts'

const refuseMsMax = 30_000
const publishMsMax = 60_000

export type Backup = { readonly file: string; readonly size: number }

/** As an operator would, from the running server. */
export async function backUp(stage: AuditStage): Promise<Backup> {
  const file = join(stage.folder, 'backup')
  const size = await logSize(stage)
  await runCommand([
    'pg_dump',
    '--format=custom',
    '--compress=0',
    '--file',
    file,
    stage.postgres.url,
  ])
  return { file, size }
}

export async function restoreBackup(given: {
  readonly stage: AuditStage
  readonly table: Table
  readonly copy: string
  readonly newestFile: string
  readonly size: number
  readonly backup: Backup
  readonly verify: (folder: string, more: readonly string[]) => Promise<CommandEnd>
}): Promise<void> {
  const { stage, table, newestFile, size, backup, verify } = given
  const databaseUrl = await stage.postgres.createDatabase('restored')
  await runCommand(['pg_restore', '--exit-on-error', '--dbname', databaseUrl, backup.file])
  const store = join(stage.folder, 'restored')
  await cp(given.copy, store, { recursive: true })
  const place = { keys: [stage.oldKey, stage.newKey], databaseUrl, store }
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined })
  try {
    const held = await sizeOf(sql)
    const sequencer = await stage.sequence(place)
    const refusal = /"event":"audit.refused".*/
    await until('the sequencer refuses', refuseMsMax, async () =>
      refusal.test(await sequencer.logged()),
    )
    const [line = ''] = refusal.exec(await sequencer.logged()) ?? []
    const isSigned = (await sizeOf(sql)) !== held
    const isAdvised = line.includes('rolled-back') && line.includes('postern audit resync')
    const got = isSigned ? 'signs' : isAdvised ? 'refuses' : 'no advice'
    table.answer('an older backup of the database restored', 'refuses', got, messageOf(line))
    await sequencer.stop()

    const resynced = await stage.postern(['audit', 'resync'], place)
    table.command('the same, then `postern audit resync`', 0, /^fetched \d+ entries/m, resynced)
    await acceptOne(stage, databaseUrl)
    const again = await stage.sequence(place)
    await until('the restored log goes on', publishMsMax, async () => {
      const [row] = await sql`
        select not exists (select from postern_audit_intake) and witnessed_at is not null as done
        from postern_audit_checkpoint where size > ${size} order by size desc limit 1`
      return row?.['done'] === true
    })
    await again.stop()
    const all = ['--strict', '--policy', stage.policyFile, '--last-known', newestFile]
    const verified = await verify(store, all)
    table.command('none: the log went on after that', 0, /^verdict +ok/m, verified)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function sizeOf(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ size: number }[]>`
    select size::integer as size from postern_audit_head`
  return row?.size ?? 0
}

/** A gateway of the restored database takes a job, and stops. */
async function acceptOne(stage: AuditStage, databaseUrl: string): Promise<void> {
  const gateway = await stage.serve(databaseUrl)
  const body = JSON.stringify({
    payload: { wallet: '7BDt5D7tow8SxymgbFXdgj5Ww4rEDN31WTifBVKByRR7' },
  })
  const answer = await post({ url: gateway.url, token: stage.token }, '/v1/jobs/score-wallet', {
    body,
  })
  if (answer?.status !== 202) throw new Error(`refused: ${answer?.status}`)
  await gateway.stop()
}

function messageOf(line: string): string {
  const [, message = line] = /"message":"((?:[^"\\]|\\.)*)"/.exec(line) ?? []
  return message
}
