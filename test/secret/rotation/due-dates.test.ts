import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import { connectPostgres } from '#core/postgres/connect.ts'
import { adoptPointer } from '#core/secret/rotation/adopt-pointer.ts'
import { checkRotation } from '#core/secret/rotation/check-rotation.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { secretReads } from '#core/secret/rotation/secret-reads.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { openRotationWorld, type RotationWorld, secretName } from './rotation-world.ts'

setDefaultTimeout(60_000)

const now = () => new Date()
/** Wherever today is, a zone with a summer changes its clock within them. */
const rotationDays = 200

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())
afterEach(() => world.clear())

const logOf = (sql: Sql) => ({ sql, journal: testJournal(), now })
const journalOf = (sql: Sql) => postgresRotationJournal(logOf(sql))
const check = () =>
  checkRotation({ ...logOf(world.sql), rotations: journalOf(world.sql), by: 'test' })

async function adopt(sql: Sql): Promise<void> {
  await adoptPointer(logOf(sql), { name: secretName, version: '1', fingerprint: '00' })
  const rotation = { kind: 'scripted', settings: {}, rotationDays }
  await journalOf(sql).configure(secretName, rotation, 'test')
}

/** A session as the database of an operator in that zone gives it. */
async function inZone(zone: string, run: (sql: Sql) => Promise<void>): Promise<void> {
  const name = new URL(world.url).pathname.slice(1)
  await world.sql.unsafe(`alter database ${name} set timezone = '${zone}'`)
  const connection = { url: world.url, mode: 'development', applicationName: 'test' } as const
  const sql = connectPostgres({ ...connection, max: 1 })
  try {
    await run(sql)
  } finally {
    await sql.end({ timeout: 1 })
    await world.sql.unsafe(`alter database ${name} reset timezone`)
  }
}

test.each(['UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe'])(
  'a day is 24 hours, also where the clocks of %s change between',
  async (zone) => {
    await inZone(zone, async (sql) => {
      expect((await sql`show timezone`)[0]?.['TimeZone']).toBe(zone)
      await adopt(sql)
      const [first] = await sql<{ seconds: number }[]>`
        select extract(epoch from due_at - created_at)::float8 as seconds from postern_secret`
      expect(first?.seconds).toBe(rotationDays * 86_400)
      const planned = await journalOf(sql).plan(secretName, 'test')
      const version = { pending: '2', fingerprint: '01' }
      await journalOf(sql).staged(planned, version)
      await sql`
        update postern_secret_rotation set step = 'retire', opened_at = now() - interval '3 days'`
      await journalOf(sql).end(await journalOf(sql).read(planned.id))
      const [next] = await sql<{ seconds: number }[]>`
        select extract(epoch from due_at - ended_at)::float8 as seconds
        from postern_secret s join postern_secret_rotation r on r.name = s.name`
      expect(next?.seconds).toBe(rotationDays * 86_400)
    })
  },
)

test('a check before its time opens nothing; two at once, when it is due, open one', async () => {
  await adopt(world.sql)
  await world.sql`update postern_secret set due_at = now() + interval '1 minute'`
  expect(await check()).toMatchObject({ opened: [], under_way: [] })
  expect((await secretReads(world.sql).list())[0]?.is_due).toBe(false)
  await world.sql`update postern_secret set due_at = now()`
  expect((await secretReads(world.sql).list())[0]?.is_due).toBe(true)
  const both = await Promise.all([check(), check()])
  expect(both.flatMap(({ opened }) => opened)).toEqual([secretName])
  expect(both.flatMap((one) => one.under_way)).toEqual([secretName])
  await world.sql`update postern_secret set due_at = now() - interval '1 day'`
  expect(await check()).toEqual({ opened: [], under_way: [secretName], reminded: [] })
})
