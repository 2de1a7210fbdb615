import { expect, test } from 'bun:test'
import { auditJournal } from '#core/audit/journal.ts'
import { type AuditRecord, systemRecord } from '#core/audit/record.ts'
import { PosternError } from '#core/errors.ts'

const open = () => auditJournal({ replica: 'gateway@host', epoch: 3, next: 1 })

function record(id: string): AuditRecord {
  const at = new Date('2026-03-01T12:00:00Z')
  return systemRecord({ id, type: 'job.accepted', at, target: 'job/1', outcome: 'ok' })
}

const numbersOf = (rows: readonly { body: string }[]) =>
  rows.map(({ body }) => JSON.parse(body).rseq)

test('records are numbered without a hole, in the order in which their writes begin', async () => {
  const journal = open()
  const seen: number[][] = []
  const write = (...ids: string[]) =>
    journal.write(ids.map(record), async (rows) => {
      seen.push(numbersOf(rows))
      await Bun.sleep(1)
    })
  await Promise.all([write('a', 'b'), write('c'), write('d')])
  expect(seen).toEqual([[1, 2], [3], [4]])
  expect(journal.settled()).toBe(4)
  expect(journal.takeVoid()).toEqual([])
})

test('nothing is settled behind a write that is under way', async () => {
  const journal = open()
  const { promise, resolve } = Promise.withResolvers<void>()
  const slow = journal.write([record('a')], () => promise)
  await journal.write([record('b')], () => Promise.resolve())
  expect(journal.settled()).toBe(0)
  resolve()
  await slow
  expect(journal.settled()).toBe(2)
})

test('numbers of a write that failed are void, and reported once', async () => {
  const journal = open()
  const failing = journal.write([record('a'), record('b')], () => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  await journal.write([record('c')], () => Promise.resolve())
  expect(journal.settled()).toBe(3)
  const ranges = journal.takeVoid()
  expect(ranges).toEqual([[1, 2]])
  expect(journal.takeVoid()).toEqual([])
  journal.putBackVoid(ranges)
  expect(journal.takeVoid()).toEqual([[1, 2]])
})

test('a record that cannot be encoded leaves every number of its write void', async () => {
  const journal = open()
  const huge = { ...record('b'), target: 'x'.repeat(70_000) }
  const failing = journal.write([record('a'), huge, record('c')], () => Promise.resolve())
  await expect(failing).rejects.toMatchObject({ code: 'audit.record_too_large' })
  await journal.write([record('d')], () => Promise.resolve())
  expect(journal.settled()).toBe(4)
  expect(journal.takeVoid()).toEqual([[1, 3]])
})

test('numbers of records that the statement left out are void', async () => {
  const journal = open()
  const ids = ['a', 'b', 'c', 'd']
  await journal.write(
    ids.map(record),
    () => Promise.resolve(new Set(['b'])),
    (stored) => stored,
  )
  expect(journal.takeVoid()).toEqual([
    [1, 1],
    [3, 4],
  ])
})

test('a transaction that records late keeps its numbers open until it ends', async () => {
  const journal = open()
  await journal.within(async (number) => {
    expect(numbersOf(number([record('a')]))).toEqual([1])
    expect(journal.settled()).toBe(0)
    expect(numbersOf(number([record('b'), record('c')]))).toEqual([2, 3])
    await Promise.resolve()
  })
  expect(journal.settled()).toBe(3)
  const failing = journal.within(async (number) => {
    number([record('d')])
    number([record('e')])
    return await Promise.reject(new Error('rolled back'))
  })
  await expect(failing).rejects.toThrow('rolled back')
  expect(journal.takeVoid()).toEqual([[4, 5]])
})

test.each([
  ...['PA001', '53100', '25006', '0A000', 'P0001'].map((code) => [code, 'no']),
  ['42501', 'permission denied for table postern_audit_intake'],
  ['42P01', 'Relation »postern_audit_intake« existiert nicht'],
])('SQLSTATE %s means that nothing is recorded: %s', async (code, message) => {
  const refused = Object.assign(new Error(message), { code })
  const failing = open().write([record('a')], () => Promise.reject(refused))
  const error: unknown = await failing.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PosternError)
  expect(error).toMatchObject({ code: 'audit.unavailable', reason: code })
})

test('a right that is missing elsewhere is no matter of the log', async () => {
  const refused = Object.assign(new Error('permission denied for table postern_job'), {
    code: '42501',
  })
  const failing = open().write([record('a')], () => Promise.reject(refused))
  await expect(failing).rejects.toBe(refused)
})
