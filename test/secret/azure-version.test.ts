import { expect, test } from 'bun:test'
import {
  type AzureVersion,
  currentMark,
  currentOf,
  newestFirst,
  promotion,
  stagedUnder,
} from '#core/secret/azure/azure-version.ts'

type Given = Partial<AzureVersion> & { readonly version: string }
const version = (given: Given): AzureVersion => ({
  ...{ isEnabled: true, createdSeconds: 100, tags: {} },
  ...given,
})
const current = (stateNumber: string) => ({ state: 'current', stateNumber })

test('the mark of a staging that was overtaken by a promotion does not win, in either order', () => {
  const old = version({ version: 'a', createdSeconds: 1 })
  const mark = currentMark([old])
  const promoted = version({ version: 'b', createdSeconds: 2, tags: current('1') })
  const marked = { ...old, tags: mark?.tags ?? {} }
  expect(mark?.version).toBe('a')
  expect(currentOf(newestFirst([marked, promoted]))?.version).toBe('b')
  const younger = { ...marked, createdSeconds: 3 }
  expect(currentOf(newestFirst([younger, promoted]))?.version).toBe('b')
})

test('two promotions at once agree on one version', () => {
  const one = version({ version: 'a', createdSeconds: 1, tags: current('4') })
  const two = version({ version: 'b', createdSeconds: 2, tags: current('4') })
  expect(currentOf(newestFirst([one, two]))?.version).toBe('b')
  expect(currentOf(newestFirst([two, one]))?.version).toBe('b')
})

test('a number that nobody here wrote counts as none', () => {
  const ours = version({ version: 'a', tags: current('1') })
  for (const text of ['', '-1', '1e9', '9999999999', 'x', ' 2', '2 ']) {
    const theirs = version({ version: 'b', createdSeconds: 200, tags: current(text) })
    expect(currentOf(newestFirst([ours, theirs]))?.version).toBe('a')
  }
})

test('without any mark the newest that is enabled is current, and none where none is', () => {
  const disabled = version({ version: 'b', createdSeconds: 200, isEnabled: false })
  expect(currentOf(newestFirst([version({ version: 'a' }), disabled]))?.version).toBe('a')
  expect(currentOf([disabled])).toBeUndefined()
  expect(currentMark([disabled])).toBeUndefined()
})

test('versions of one second are in the order in which they were staged, however they are listed', () => {
  const versions = ['c', 'a', 'b'].map((id, index) =>
    version({ version: id, tags: { place: String(index + 9) } }),
  )
  const byHand = version({ version: 'z' })
  for (const listed of [
    [...versions, byHand],
    [byHand, ...versions.toReversed()],
  ]) {
    expect(newestFirst(listed).map((each) => each.version)).toEqual(['b', 'a', 'c', 'z'])
  }
})

test('after a promotion one version is current, one previous, and only our tags have changed', () => {
  const tags = { owner: 'payments', rotation: 'r', place: '1' }
  const versions = newestFirst([
    version({ version: 'd', createdSeconds: 4, tags }),
    version({ version: 'c', createdSeconds: 3, tags: { ...tags, ...current('6') } }),
    version({ version: 'b', createdSeconds: 2, tags: { ...tags, ...current('5') } }),
    version({ version: 'a', createdSeconds: 1, tags: { ...tags, state: 'by me' } }),
  ])
  const [target] = versions
  expect(target).toMatchObject({ version: 'd' })
  if (target === undefined) return
  expect(promotion(versions, target, 'c')).toEqual([
    { version: 'd', tags: { ...tags, ...current('7') } },
    { version: 'c', tags: { ...tags, state: 'previous', stateNumber: '7' } },
    { version: 'b', tags },
  ])
})

test('of a rotation whose versions are all disabled the oldest is what it staged', () => {
  const own = { isEnabled: false, tags: { rotation: 'r' } }
  const versions = newestFirst([
    version({ version: 'a', createdSeconds: 1, ...own }),
    version({ version: 'b', createdSeconds: 2, ...own }),
    version({ version: 'c', createdSeconds: 3 }),
  ])
  const { staged, strays } = stagedUnder(versions, 'r')
  expect(staged?.version).toBe('a')
  expect(strays).toEqual([])
})

test('what is marked is no stray, even beside another of its rotation', () => {
  const versions = newestFirst([
    version({ version: 'a', createdSeconds: 1, tags: { rotation: 'r', state: 'previous' } }),
    version({ version: 'b', createdSeconds: 2, tags: { rotation: 'r', ...current('1') } }),
    version({ version: 'c', createdSeconds: 3, tags: { rotation: 'r' } }),
  ])
  const { staged, strays } = stagedUnder(versions, 'r')
  expect(staged?.version).toBe('b')
  expect(strays.map((each) => each.version)).toEqual(['c'])
})
