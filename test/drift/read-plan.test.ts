import { expect, test } from 'bun:test'
import { PlanRefused } from '#core/drift/plan-error.ts'
import { planBytesMax, readPlan } from '#core/drift/read-plan.ts'
import { bytesOf, planOf, readCase, resource } from './plan-fixtures.ts'

function refusal(bytes: Uint8Array): string {
  try {
    readPlan(bytes)
  } catch (error) {
    if (error instanceof PlanRefused) return error.fault
    throw error
  }
  return 'read'
}

const settled = Buffer.from(readCase('settled').plan.toString().trimEnd())
const drifted = (change: Readonly<Record<string, unknown>>) =>
  planOf({ resource_drift: [{ ...resource('aws_vpc.main', ['update'], {}, {}), ...change }] })

test.each([
  ['nothing', bytesOf(''), 'malformed'],
  ['no JSON', bytesOf('plan'), 'malformed'],
  ['null', bytesOf('null'), 'malformed'],
  ['a list', bytesOf('[]'), 'malformed'],
  ['a plan that is cut off', settled.subarray(0, settled.length >> 1), 'malformed'],
  ['a plan that lacks its last byte', settled.subarray(0, settled.length - 1), 'malformed'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'malformed'],
  ['60 MiB', new Uint8Array(60 * 1_048_576).fill(0x20), 'too_large'],
  ['a byte too many', new Uint8Array(planBytesMax + 1).fill(0x20), 'too_large'],
  ['a million brackets', bytesOf('['.repeat(1_000_000)), 'malformed'],
  ['a level too many', bytesOf(`{"a":${'['.repeat(100)}${']'.repeat(100)}}`), 'malformed'],
  ['a plan that failed', bytesOf(planOf({ errored: true })), 'errored'],
  [
    'a plan that does not say whether it failed',
    bytesOf(planOf({ errored: undefined })),
    'errored',
  ],
  ['a plan that failed, in a word', bytesOf(planOf({ errored: 'false' })), 'errored'],
  ['a plan that is not complete', bytesOf(planOf({ complete: false })), 'incomplete'],
  ['a plan that does not say so', bytesOf(planOf({ complete: undefined })), 'incomplete'],
  ['a plan of another format', bytesOf(planOf({ format_version: '2.0' })), 'unknown_format'],
  ['a plan of no format', bytesOf(planOf({ format_version: undefined })), 'malformed'],
  ['a plan of nothing', bytesOf(planOf({ resource_changes: [] })), 'empty'],
  ['a refresh-only plan', bytesOf(planOf({ resource_changes: undefined })), 'empty'],
  ['drift that is no list', bytesOf(planOf({ resource_drift: {} })), 'malformed'],
  ['a resource without an address', bytesOf(drifted({ address: '' })), 'malformed'],
  ['an address of control characters', bytesOf(drifted({ address: 'a\u0000b' })), 'malformed'],
  ['an address of half a character', bytesOf(drifted({ address: 'a\ud800' })), 'malformed'],
  ['an address of 1,025 characters', bytesOf(drifted({ address: 'a'.repeat(1_025) })), 'malformed'],
  ['an unknown mode', bytesOf(drifted({ mode: 'other' })), 'malformed'],
  ['an unknown action', bytesOf(drifted({ change: { actions: ['melt'] } })), 'malformed'],
  ['no action', bytesOf(drifted({ change: { actions: [] } })), 'malformed'],
  [
    'an attribute of another alphabet',
    bytesOf(drifted({ change: { actions: ['update'], before: { 'a\nb': 1 } } })),
    'malformed',
  ],
  [
    '20,001 resources',
    bytesOf(
      planOf({ resource_drift: Array(20_001).fill(resource('aws_vpc.main', ['no-op'], {}, {})) }),
    ),
    'malformed',
  ],
] as const)('%s is refused', (_name, bytes, fault) => {
  expect(refusal(bytes)).toBe(fault)
})

test('the words of a refusal repeat nothing of the plan', () => {
  const hostile = bytesOf(drifted({ mode: 'hunter2-hunter2' }))
  expect(() => readPlan(hostile)).toThrow(/resource_drift\.0\.mode/)
  expect(() => readPlan(hostile)).not.toThrow(/hunter2/)
})

test('brackets within a text, and behind an escaped quote, are no depth', () => {
  const text = `"${'['.repeat(500)}\\"${'{'.repeat(500)}"`
  const plan = `${JSON.stringify(planOf()).slice(0, -1)},"note":${text}}`
  expect(refusal(bytesOf(plan))).toBe('read')
})

test('exactly as deep as allowed is read', () => {
  const deep = JSON.parse(`${'['.repeat(99)}${']'.repeat(99)}`)
  expect(refusal(bytesOf(planOf({ note: deep })))).toBe('read')
})

test('a settled plan of the provider has no drift at all', () => {
  expect(readPlan(settled).resource_drift).toEqual([])
  expect(readPlan(settled).resource_changes.length).toBeGreaterThan(10)
})
