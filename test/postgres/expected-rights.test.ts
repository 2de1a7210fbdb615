import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import { connectPostgres } from '#core/postgres/connect.ts'
import { expectedRights } from '#core/postgres/expected-rights.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { readRights } from '#core/postgres/read-rights.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

setDefaultTimeout(30_000)

const open: Sql[] = []
let sql: Sql
let worker: Sql
beforeAll(async () => {
  const url = await (await sharedPostgres()).createDatabase()
  const connection = { url, mode: 'development', applicationName: 'test', max: 1 } as const
  sql = connectPostgres(connection)
  await migrate({ sql, queue: 'postgres', queues: ['probe'] })
  worker = connectPostgres({ ...connection, role: 'postern_worker' })
  open.push(sql, worker)
})
afterAll(() => Promise.all(open.map((one) => one.end({ timeout: 1 }))))

test('migrations have granted what is written, as a worker sees it too', async () => {
  expect(await readRights(sql)).toEqual([...expectedRights])
  expect(await readRights(worker)).toEqual([...expectedRights])
})

test.each([
  [
    'a table',
    'grant delete on postern_audit_entry to postern_worker',
    'postern_worker postern_audit_entry: DELETE',
  ],
  [
    'a column',
    'grant update (body) on postern_audit_entry to postern_gateway',
    'postern_gateway postern_audit_entry(body): UPDATE',
  ],
  ['everybody', 'grant select on postern_job to public', 'PUBLIC postern_job: SELECT'],
  ['the schema', 'grant create on schema public to public', 'PUBLIC schema public: CREATE, USAGE'],
] as const)('a right on %s that somebody granted is seen', async (_name, statement, line) => {
  const undo = new Error('undo')
  const granted = sql.begin(async (transaction) => {
    await transaction.unsafe(statement)
    expect(await readRights(transaction)).toContain(line)
    throw undo
  })
  await expect(granted).rejects.toBe(undo)
})
