import { expect, test } from 'bun:test'
import { judgeRuntime, type LiveProcess, type RuntimeFacts } from '#core/drift/judge-runtime.ts'
import type { BuiltInSchedule } from '#core/schedule/built-in-schedules.ts'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const schedule: BuiltInSchedule = {
  ...{ name: 'check-drift', kind: 'check-drift', payload: {}, cron: '41 5 * * *' },
  ...{ timeZone: 'UTC', misfire: 'run_once', backfillMax: 1, overlap: 'skip' },
}

const gateway: LiveProcess = {
  ...{ role: 'gateway', host: 'a', version: '1.0.0+abc', imageDigest: digest('1') },
  ...{ accessInForce: 'f1', accessOnDisk: 'f1', isSettled: true },
}
const worker: LiveProcess = {
  ...{ ...gateway, role: 'worker', accessInForce: null, accessOnDisk: null },
}

const right = 'postern_worker postern_job: INSERT, SELECT'

const good: RuntimeFacts = {
  processes: [gateway, { ...gateway, host: 'b' }, worker],
  imageDigest: digest('1'),
  schedules: { builtIn: [schedule], stored: [{ ...schedule, isPaused: false }] },
  rights: { expected: [right], found: [right] },
  redisProblems: [],
  secrets: [{ name: 'postern/database', current: '2', process: 'worker@a', proved: '2' }],
}

const judge = (changes: Partial<RuntimeFacts>) =>
  judgeRuntime({ ...good, ...changes }).map(
    ({ address, attribute, severity }) => `${address} ${attribute} ${severity}`,
  )
const processes = (...more: readonly Partial<LiveProcess>[]) => ({
  processes: [...good.processes, ...more.map((one) => ({ ...gateway, host: 'c', ...one }))],
})
const stored = (changes: object) => ({
  schedules: { ...good.schedules, stored: [{ ...schedule, isPaused: false, ...changes }] },
})
const rights = (...found: readonly string[]) => ({ rights: { expected: [right], found } })
const secrets = (proved: string) => ({
  secrets: [{ name: 'postern/database', current: '2', process: 'worker@a', proved }],
})

test('what runs as it is configured has no finding', () => {
  expect(judge({})).toEqual([])
  expect(judge({ redisProblems: undefined, imageDigest: undefined, processes: [] })).toEqual([])
})

test.each([
  ['a file that was refused', processes({ accessOnDisk: 'f2' }), ['access-file in_force high']],
  ['a file that is gone', processes({ accessOnDisk: '' }), ['access-file in_force high']],
  [
    'two files in force',
    processes({ accessInForce: 'f2', accessOnDisk: 'f2' }),
    ['access-file same_everywhere high'],
  ],
  ['another image than configured', processes({ imageDigest: digest('2') }), ['image digest high']],
  ['an image that does not say which', processes({ imageDigest: null }), ['image digest high']],
  ['another version', processes({ version: '1.0.0+abd' }), ['image version high']],
  [
    'two images where none is configured',
    { ...processes({ imageDigest: digest('2') }), imageDigest: undefined },
    ['image digest high'],
  ],
  [
    'a schedule that is missing',
    { schedules: { ...good.schedules, stored: [] } },
    ['schedule/check-drift stored high'],
  ],
  [
    'a schedule that was changed',
    stored({ cron: '0 0 1 1 *' }),
    ['schedule/check-drift definition low'],
  ],
  ['a schedule that is paused', stored({ isPaused: true }), ['schedule/check-drift paused medium']],
  [
    'a right too many',
    rights('postern_worker postern_job: DELETE, INSERT, SELECT'),
    ['right/postern_worker postern_job high'],
  ],
  [
    'a right on another table',
    rights(right, 'PUBLIC postern_audit_entry: SELECT'),
    ['right/PUBLIC postern_audit_entry high'],
  ],
  [
    'a role that may log in',
    rights(right, 'postern_worker attributes: LOGIN'),
    ['right/postern_worker attributes high'],
  ],
  [
    'a right too few',
    rights('postern_worker postern_job: SELECT'),
    ['right/postern_worker postern_job medium'],
  ],
  ['no rights at all', rights(), ['right/postern_worker postern_job medium']],
  [
    'a Redis that evicts',
    { redisProblems: ['maxmemory-policy is allkeys-lru'] },
    ['redis settings critical'],
  ],
  ['an older version of a secret', secrets('1'), ['secret/postern/database version high']],
  ['a secret that was never proved', secrets(''), ['secret/postern/database version high']],
] as const)('%s is found', (_name, changes, found) => {
  expect(judge(changes)).toEqual([...found])
})

test('while a deployment is under way, processes may differ', () => {
  const fresh = { isSettled: false, version: '1.1.0', imageDigest: digest('2') }
  expect(judge(processes({ ...fresh, accessInForce: 'f2', accessOnDisk: 'f2' }))).toEqual([])
})
