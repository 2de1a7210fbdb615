import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import {
  type DatabaseRole,
  databaseRoles,
  insufficientPrivilege,
  refusedState,
} from '#core/postgres/database-role.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { connect, disconnectAll } from './role-logins.ts'

setDefaultTimeout(30_000)

let url: string

beforeAll(async () => {
  url = await (await sharedPostgres()).createDatabase()
  await migrate({ sql: connect(url), queue: 'postgres', queues: ['probe'] })
})

afterAll(disconnectAll)

const lacksRight = /permission denied|must be /

/** What a statement says to a role: `allowed`, or `refused` for want of a right. */
async function attempt(sql: Sql, statement: string): Promise<'allowed' | 'refused'> {
  const undo = new Error('undo')
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(statement)
      throw undo
    })
  } catch (error) {
    if (error === undo) return 'allowed'
    // A trigger of the log refuses too, under the same state; it is the right that must be lacking.
    if (refusedState(error) === insufficientPrivilege && lacksRight.test(`${error}`))
      return 'refused'
    throw error
  }
  throw new Error('not undone')
}

const acts = ['select', 'insert', 'update', 'delete', 'truncate', 'alter'] as const
type Act = (typeof acts)[number]

/** One column each that everything but the rights would let a statement set. */
const auditTables = {
  postern_audit_intake: ['body', `(rec, body) values (gen_random_uuid(), 'x')`],
  postern_audit_entry: ['body', `(idx, rec, body) values (0, gen_random_uuid(), 'x')`],
  postern_audit_checkpoint: ['note', `values (1, 'x', 'x')`],
  postern_audit_head: ['size', `(one, size, root, frontier, epoch) values (false, 0, '', '', 0)`],
  postern_audit_aside: ['body', `values (gen_random_uuid(), 'x')`],
} as const
type AuditTable = keyof typeof auditTables
const auditTableNames: readonly AuditTable[] = [
  'postern_audit_intake',
  'postern_audit_entry',
  'postern_audit_checkpoint',
  'postern_audit_head',
  'postern_audit_aside',
]

function statementOf(act: Act, table: AuditTable): string {
  const [column, row] = auditTables[table]
  const statements = {
    select: `select * from ${table}`,
    insert: `insert into ${table} ${row}`,
    // Of no row: the right is asked for before one is looked for.
    update: `update ${table} set ${column} = ${column} where false`,
    delete: `delete from ${table} where false`,
    truncate: `truncate ${table}`,
    alter: `alter table ${table} add column more text`,
  }
  return statements[act]
}

const reads = { postern_audit_entry: 's', postern_audit_checkpoint: 's', postern_audit_head: 's' }

/** First letters of the acts a role may do; everything else is refused. */
const allowed: Readonly<Record<DatabaseRole, Partial<Record<AuditTable, string>>>> = {
  postern_gateway: { ...reads, postern_audit_intake: 'i' },
  postern_worker: { postern_audit_intake: 'i' },
  postern_rotator: { postern_audit_intake: 'i' },
  postern_sequencer: {
    postern_audit_intake: 'sid',
    postern_audit_entry: 'si',
    postern_audit_checkpoint: 'si',
    postern_audit_head: 'su',
    postern_audit_aside: 'i',
  },
}

const matrix: string[] = []

test.each(databaseRoles.flatMap((role) => auditTableNames.map((table) => [role, table] as const)))(
  '%s may do to %s what its process runs, and is refused the rest',
  async (role, table) => {
    const sql = connect(url, role)
    const answers = new Map<Act, 'allowed' | 'refused'>()
    for (const act of acts) answers.set(act, await attempt(sql, statementOf(act, table)))
    const cells = acts.map((act) => (answers.get(act) ?? '').padEnd(9))
    matrix.push(`${role.padEnd(18)} ${table.padEnd(25)} ${cells.join('')}`)
    const letters = allowed[role][table] ?? ''
    const expected = acts.map((act) => (letters.includes(act.charAt(0)) ? 'allowed' : 'refused'))
    expect(acts.map((act) => answers.get(act))).toEqual(expected)
  },
)

test('the table of rights is printed', () => {
  const head = `${'role'.padEnd(18)} ${'table'.padEnd(25)} ${acts.map((act) => act.padEnd(9)).join('')}`
  process.stdout.write(`${[head, ...matrix].join('\n')}\n`)
  expect(matrix).toHaveLength(databaseRoles.length * auditTableNames.length)
})

test('the sequencer shuts the intake, notes what became of a checkpoint, and changes neither', async () => {
  const sql = connect(url, 'postern_sequencer')
  const note = `update postern_audit_checkpoint
    set published_at = now(), witnessed_at = now(), witnessed_note = '' where size = 1`
  expect(await attempt(sql, 'lock table postern_audit_intake in share mode')).toBe('allowed')
  expect(await attempt(sql, note)).toBe('allowed')
  for (const column of ['size', 'root', 'note', 'signed_at']) {
    const change = `update postern_audit_checkpoint set ${column} = ${column} where false`
    expect(await attempt(sql, change)).toBe('refused')
  }
  for (const role of ['postern_gateway', 'postern_worker', 'postern_rotator'] as const) {
    const shut = 'lock table postern_audit_intake in share mode'
    expect(await attempt(connect(url, role), shut)).toBe('refused')
  }
})

test.each(databaseRoles)('%s makes nothing of its own and goes round no rule', async (role) => {
  const sql = connect(url, role)
  for (const statement of [
    'create table mine ()',
    'create function mine() returns integer language sql as $$ select 1 $$',
    'create sequence mine',
    'create role mine',
    'alter table postern_audit_entry disable trigger all',
    'drop table postern_audit_entry',
    'drop trigger postern_audit_entry_append_only on postern_audit_entry',
    'alter function postern_audit_refuse_change() rename to mine',
    'create trigger mine before insert on postern_audit_intake ' +
      'for each statement execute function postern_audit_refuse_change()',
    'create rule mine as on insert to postern_audit_intake do instead nothing',
    `set session_replication_role = 'replica'`,
    `copy postern_audit_intake to program 'cat'`,
    'update postern_migration set sha256 = sha256',
  ]) {
    expect([statement, await attempt(sql, statement)]).toEqual([statement, 'refused'])
  }
})

test.each([
  ['postern_worker', 'select * from postern_revocation'],
  ['postern_worker', 'delete from postern_revocation'],
  ['postern_worker', `insert into postern_queue (kind) values ('x')`],
  ['postern_worker', 'update postern_trade set failed = failed'],
  ['postern_gateway', 'delete from postern_revocation'],
  ['postern_gateway', 'update postern_score set score = score'],
  ['postern_gateway', 'delete from postern_trade'],
  ['postern_sequencer', 'select * from postern_job'],
  ['postern_sequencer', 'select * from postern_trade'],
  ['postern_sequencer', 'select * from public.job'],
  ['postern_rotator', 'select * from postern_job'],
  ['postern_gateway', 'update postern_schedule_run set outcome = outcome'],
  ['postern_gateway', 'delete from postern_schedule_run'],
  ['postern_worker', 'delete from postern_schedule'],
  ['postern_worker', 'update postern_schedule_run set outcome = outcome'],
  ['postern_sequencer', 'select * from postern_schedule'],
  ['postern_rotator', 'select * from postern_schedule'],
] as const)('%s is refused: %s', async (role, statement) => {
  expect(await attempt(connect(url, role), statement)).toBe('refused')
})

test.each(['postern_gateway', 'postern_worker'] as const)('%s cleans up', async (role) => {
  const sql = connect(url, role)
  for (const statement of [
    'delete from postern_job where id in (select id from postern_job where false)',
    `delete from postern_idempotency where ctid in (
      select ctid from postern_idempotency where created_at < now() limit 1)`,
    'delete from postern_process where seen_at < now()',
  ]) {
    expect([statement, await attempt(sql, statement)]).toEqual([statement, 'allowed'])
  }
})
