import { expect, test } from 'bun:test'
import { nextAct, type RevocationAct, type RevokedVersion } from '#core/secret/rotation/next-act.ts'
import type { Rotation } from '#core/secret/rotation/rotation.ts'

const at = new Date('2026-03-01T12:00:00Z')
const open = (over: Partial<Rotation>): Rotation => ({
  ...{ id: '0197c0de-0000-7000-8000-000000000000', name: 'postern/target', step: 'set' },
  ...{ epoch: 1n, base: '1', pending: '2', fingerprint: 'ff', attempts: 0, error: undefined },
  ...{ nextTryAt: at, openedBy: 'test', openedAt: at, promotedAt: undefined },
  ...{ isUrgent: false, isDrained: true, rollBackReason: undefined, ...over },
})
const staging = open({ step: 'stage', pending: undefined })
const setting = open({})
const settling = open({ step: 'settle', promotedAt: at })
const retiring = open({ step: 'retire', promotedAt: at })
const backing = open({ step: 'settle' })
const undoing = open({ step: 'undo' })
const urgent = (rotation: Rotation) => ({ ...rotation, isUrgent: true })

type Case = readonly [what: string, state: Omit<RevokedVersion, 'isReplaced'>, act: RevocationAct]
const login = { isLogin: true } as const
const keys = { isLogin: false } as const

test.each<Case>([
  ['the one in force', { ...login, version: '1', current: '1', open: undefined }, 'plan'],
  ['an older one', { ...login, version: '1', current: '3', open: undefined }, 'end'],
  [
    'an older one during a rotation',
    { ...login, version: '0', current: '1', open: setting },
    'end',
  ],
  ['in force, staging', { ...login, version: '1', current: '1', open: staging }, 'hurry'],
  ['in force, setting', { ...login, version: '1', current: '1', open: setting }, 'hurry'],
  ['in force, urgent', { ...login, version: '1', current: '1', open: urgent(setting) }, 'run'],
  ['the one before, settling', { ...login, version: '1', current: '2', open: settling }, 'hurry'],
  ['the one before, retiring', { ...login, version: '1', current: '2', open: retiring }, 'hurry'],
  ['what is to follow', { ...login, version: '2', current: '1', open: setting }, 'undo'],
  ['what has followed', { ...login, version: '2', current: '2', open: settling }, 'roll_back'],
  ['what has followed for good', { ...login, version: '2', current: '2', open: retiring }, 'hurry'],
  ['what is taken back', { ...login, version: '2', current: '1', open: backing }, 'hurry'],
  ['what is undone', { ...login, version: '2', current: '1', open: undoing }, 'hurry'],
  [
    'what is undone at once',
    { ...login, version: '2', current: '1', open: urgent(undoing) },
    'run',
  ],
  ['keys in force', { ...keys, version: '1', current: '1', open: undefined }, 'plan'],
  ['keys that live on in others', { ...keys, version: '1', current: '3', open: undefined }, 'plan'],
  ['keys, setting others', { ...keys, version: '1', current: '1', open: setting }, 'undo'],
  ['keys, settling others', { ...keys, version: '1', current: '2', open: settling }, 'hurry'],
  ['keys, undoing others', { ...keys, version: '1', current: '1', open: undoing }, 'hurry'],
  ['keys, all anew', { ...keys, version: '1', current: '1', open: urgent(setting) }, 'run'],
])('%s', (_what, state, act) => {
  expect(nextAct({ ...state, isReplaced: false })).toBe(act)
})

test('keys that were all replaced since have come to their end', () => {
  const state = { ...keys, version: '1', current: '2', open: undefined }
  expect(nextAct({ ...state, isReplaced: true })).toBe('end')
})
