import { expect, test } from 'bun:test'
import { type ClassState, decideIncident, firstState } from '#core/incident/decide-incident.ts'
import {
  closesAfterMs,
  failing,
  good,
  opensAfterMs,
  type Sight,
  unknown,
} from '#core/incident/incident.ts'
import { neededClasses, neededSinceMs } from '#core/incident/needs.ts'

type Step = readonly [atSeconds: number, sight: Sight]

/** What is open behind the steps, and what has ended, in seconds. */
function follow(steps: readonly Step[]) {
  let state: ClassState = firstState(0)
  const ended: (readonly (number | undefined)[])[] = []
  for (const [at, sight] of steps) {
    const decided = decideIncident(state, sight, at * 1_000)
    state = decided.state
    if (decided.ended !== undefined) ended.push(spanOf(decided.ended))
  }
  const { episode } = state
  return { open: episode?.isOpen === true ? spanOf(episode) : undefined, ended }
}

const spanOf = (span: { readonly startedMs: number; readonly goodMs: number | undefined }) => [
  span.startedMs / 1_000,
  span.goodMs === undefined ? undefined : span.goodMs / 1_000,
]

const down = failing('away')
const each = (sight: Sight, from: number, to: number): readonly Step[] =>
  Array.from({ length: to - from + 1 }, (_, index) => [from + index, sight])

const opensAfter = opensAfterMs / 1_000
const closesAfter = closesAfterMs / 1_000

test.each<[string, readonly Step[], ReturnType<typeof follow>]>([
  ['nothing seen is no incident', [], { open: undefined, ended: [] }],
  ['one failing sight is no incident', [[1, down]], { open: undefined, ended: [] }],
  [
    'just short of five seconds is none',
    [...each(down, 1, opensAfter), [opensAfter + 0.999, down]],
    { open: undefined, ended: [] },
  ],
  [
    'five seconds are one, since the first failing sight',
    each(down, 1, 1 + opensAfter),
    { open: [1, undefined], ended: [] },
  ],
  [
    'a good sight in between begins anew',
    [...each(down, 1, 5), [5.5, good], ...each(down, 6, 10)],
    { open: undefined, ended: [] },
  ],
  [
    'where a look knows since when, it counts from there',
    [
      [1, good],
      [9, failing('late', 2_000)],
    ],
    { open: [2, undefined], ended: [] },
  ],
  [
    'it has not failed since before it served last',
    [
      [8, good],
      [9, failing('late', 2_000)],
      [14, failing('late', 2_000)],
    ],
    { open: [8, undefined], ended: [] },
  ],
  [
    'a good sight that tells of earlier lets it have failed since then',
    [
      [8, { kind: 'good', atMs: 3_000 }],
      [9, failing('late', 3_000)],
    ],
    { open: [3, undefined], ended: [] },
  ],
  [
    'just short of ten good seconds it is open, and has a time to end with',
    [...each(down, 1, 8), ...each(good, 9, 9 + closesAfter - 1), [8.999 + closesAfter, good]],
    { open: [1, 9], ended: [] },
  ],
  [
    'ten good seconds end it at the first of them',
    [...each(down, 1, 8), ...each(good, 9, 9 + closesAfter)],
    { open: undefined, ended: [[1, 9]] },
  ],
  [
    'what falls over once more is one incident, and ends with the last time',
    [...each(down, 1, 8), ...each(good, 9, 15), [16, down], ...each(good, 17, 17 + closesAfter)],
    { open: undefined, ended: [[1, 17]] },
  ],
  [
    'two that are apart are two',
    [...each(down, 1, 8), ...each(good, 9, 20), ...each(down, 21, 30), ...each(good, 31, 42)],
    {
      open: undefined,
      ended: [
        [1, 9],
        [21, 31],
      ],
    },
  ],
  [
    'where nothing is known nothing begins',
    [...each(down, 1, 5), [5.5, unknown], [6, down], [7, down]],
    { open: undefined, ended: [] },
  ],
  [
    'where nothing is known nothing ends',
    [...each(down, 1, 8), ...each(good, 9, 15), [16, unknown], ...each(good, 17, 20)],
    { open: [1, 17], ended: [] },
  ],
])('%s', (_title, steps, expected) => {
  expect(follow(steps)).toEqual(expected)
})

test('a class fails for reasons of its own only: not while what it needs fails', () => {
  const at = (steps: readonly Step[]) =>
    steps.reduce<ClassState>(
      (state, [seconds, sight]) => decideIncident(state, sight, seconds * 1_000).state,
      firstState(0),
    )
  expect(neededSinceMs([])).toBe(Number.NEGATIVE_INFINITY)
  expect(neededSinceMs([undefined, at([[1, unknown]])])).toBe(Number.NEGATIVE_INFINITY)
  expect(neededSinceMs([at([[1, good]]), at([[4, down]])])).toBeUndefined()
  expect(neededSinceMs([at([[1, good]]), at([...each(down, 1, 8), [9, good]])])).toBe(9_000)
})

test('what a class needs is looked at before it', () => {
  for (const backend of ['redis', 'postgres'] as const) {
    const order = neededClasses(backend)
    order.forEach(([, needed], index) => {
      const before = order.slice(0, index).map(([of]) => of)
      expect(needed.filter((one) => !before.includes(one))).toEqual([])
    })
  }
})
