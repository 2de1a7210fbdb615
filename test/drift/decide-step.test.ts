import { expect, test } from 'bun:test'
import { type DriftState, decideStep, findingsMax } from '#core/drift/decide-step.ts'
import { type DriftReport, type Finding, fingerprintOf } from '#core/drift/finding.ts'

const deployment = '0197c0de-0000-7000-8000-000000000000'
const at = new Date('2026-03-01T06:00:00Z')
const about = { by: 'test', startedAt: at, endedAt: at }

function finding(address: string, changes: Partial<Finding> = {}): Finding {
  const of = { attribute: 'policy', kind: 'drift', severity: 'high', summary: 'x' } as const
  return { address, ...of, ...changes }
}
function state(...addresses: readonly string[]): DriftState {
  const open = addresses.map((address) => {
    const one = finding(address)
    return { ...one, fingerprint: fingerprintOf(deployment, 'plan', one) }
  })
  return { source: 'plan', deployment, run: undefined, judgedUntil: undefined, open }
}
function report(findings: readonly Finding[], changes: Partial<DriftReport> = {}): DriftReport {
  return { source: 'plan', verdict: 'drift', findings, noise: 0, ...changes }
}
const step = (before: DriftState, of: DriftReport) => decideStep(before, of, about)
const addresses = (of: readonly { readonly address: string }[]) => of.map(({ address }) => address)

test('a run that ended with an error closes nothing', () => {
  const unread = finding('plan', { kind: 'unread', attribute: 'plan' })
  const { opened, resolved, run } = step(
    state('a'),
    report([unread], { verdict: 'error', reason: 'stale' }),
  )
  expect([addresses(opened), addresses(resolved)]).toEqual([['plan'], []])
  expect(run).toMatchObject({ verdict: 'error', reason: 'stale' })
})

test('a run that saw more than it can tell closes nothing, and keeps the worst', () => {
  const many = Array.from({ length: findingsMax }, (_, n) => finding(`n${n}`, { severity: 'low' }))
  const { seen, resolved, run } = step(state('a'), report([...many, finding('worst')]))
  expect(resolved).toEqual([])
  expect([seen.length, seen[0]?.address, run.findings]).toEqual([
    findingsMax,
    'worst',
    findingsMax + 1,
  ])
})

test('exactly as many as it can tell close what is gone', () => {
  const many = Array.from({ length: findingsMax }, (_, n) => finding(`n${n}`))
  expect(addresses(step(state('a'), report(many)).resolved)).toEqual(['a'])
})

test('what is new is opened, what is seen again stays, what is gone is resolved', () => {
  const { opened, resolved, seen } = step(state('a', 'b'), report([finding('b'), finding('c')]))
  expect([opened, resolved, seen].map(addresses)).toEqual([['c'], ['a'], ['b', 'c']])
})

test('a finding that is named twice is one', () => {
  expect(step(state(), report([finding('a'), finding('a')])).opened).toHaveLength(1)
})

test('each change has its record, and each run one of its own', () => {
  const { records } = step(state('a'), report([finding('b')]))
  expect(records.map(({ type, outcome }) => [type, outcome])).toEqual([
    ['drift.opened', 'ok'],
    ['drift.resolved', 'ok'],
    ['drift.checked', 'ok'],
  ])
  expect(records[2]?.details).toMatchObject({ source: 'plan', opened: 1, resolved: 1, findings: 1 })
  expect(step(state(), report([], { verdict: 'error' })).records[0]?.outcome).toBe('failed')
})

test('a fingerprint is of the deployment, the source and all that names a finding', () => {
  const one = finding('a')
  const all = [
    fingerprintOf(deployment, 'plan', one),
    fingerprintOf('other', 'plan', one),
    fingerprintOf(deployment, 'terraform', one),
    fingerprintOf(deployment, 'plan', { ...one, address: 'b' }),
    fingerprintOf(deployment, 'plan', { ...one, attribute: 'acl' }),
    fingerprintOf(deployment, 'plan', { ...one, kind: 'gone' }),
    fingerprintOf(deployment, 'plan', { ...one, address: 'a","policy', attribute: '' }),
  ]
  expect(new Set(all).size).toBe(all.length)
  expect(all[0]).toMatch(/^[0-9a-f]{64}$/)
})

test('its words and its severity are not in a fingerprint', () => {
  const { opened, resolved } = step(
    state('a'),
    report([finding('a', { severity: 'low', summary: 'y' })]),
  )
  expect([opened, resolved]).toEqual([[], []])
})
