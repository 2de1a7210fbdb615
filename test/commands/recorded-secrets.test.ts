import { expect, test } from 'bun:test'
import type { AuditLog } from '#core/audit/audit-log.ts'
import type { AuditRecord } from '#core/audit/record.ts'
import { PosternError } from '#core/errors.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import { recordedSecrets } from '../../commands/recorded-secrets.ts'

const now = () => new Date('2026-03-01T12:00:00Z')
const url = { name: 'postern/database', member: 'url' }
const key = { name: 'postern/webhook', member: 'key' }

function open() {
  const events: string[] = []
  const records: AuditRecord[] = []
  let outage: PosternError | undefined
  const reader: SecretReader = {
    read: ({ name, member }) => {
      events.push(`read ${name}#${member}`)
      return Promise.resolve({ version: '1', value: 'canary-value' })
    },
  }
  const audit: AuditLog = {
    append(record) {
      if (outage !== undefined) return Promise.reject(outage)
      events.push(`record ${record.target}`)
      records.push(record)
      return Promise.resolve()
    },
    note: () => undefined,
    flush: () => Promise.resolve(),
  }
  const closeLog = () => {
    outage = new PosternError('audit.unavailable')
  }
  return { ...recordedSecrets(reader), audit, events, records, closeLog }
}

test('a read waits for its record, which names the secret and holds no value', async () => {
  const { secrets, recordTo, audit, events, records } = open()
  await recordTo(audit, now)
  expect(await secrets?.read(key)).toMatchObject({ value: 'canary-value' })
  expect(events).toEqual(['record secret/postern/webhook#key', 'read postern/webhook#key'])
  expect(records).toMatchObject([{ type: 'secret.read', outcome: 'ok', at: now() }])
  expect(JSON.stringify(records)).not.toContain('canary-value')
})

test('what was read before there was a log is recorded once there is, each name once', async () => {
  const { secrets, recordTo, audit, events } = open()
  await secrets?.read(url)
  await secrets?.read(url)
  await recordTo(audit, now)
  expect(events.filter((event) => event.startsWith('record'))).toEqual([
    'record secret/postern/database#url',
  ])
})

test('without a record there is no secret', async () => {
  const { secrets, recordTo, audit, events, closeLog } = open()
  await recordTo(audit, now)
  closeLog()
  const error: unknown = await secrets?.read(key).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'audit.unavailable' })
  expect(events).toEqual([])
})

test('without a store there is nothing to record', async () => {
  const { secrets, recordTo } = recordedSecrets(undefined)
  const { audit, events } = open()
  await recordTo(audit, now)
  expect(secrets).toBeUndefined()
  expect(events).toEqual([])
})
