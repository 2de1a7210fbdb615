import { describe, expect, test } from 'bun:test'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import { strikeOn } from '../doubles/gcp-subject.ts'
import { gcpWorld } from './gcp-world.ts'
import { freshName, rotation } from './store-contract.ts'

describe('gcp, staging:', () => {
  const { double, store, other, byHand, stage, storeMetBy } = gcpWorld()
  const enabled = async (name: string) =>
    (await store.versions(name)).filter(({ isEnabled }) => isEnabled).map((one) => one.version)

  test('what was put there by hand is current before, while and after the next is written', async () => {
    const name = freshName()
    const first = await byHand.put(name, { url: 'by hand' })
    strikeOn(double, ':addVersion', { status: 503, body: '' })
    await expect(stage(name, 'two')).rejects.toMatchObject({ code: 'secret.unavailable' })
    expect(await byHand.aliases(name)).toEqual({ current: first })
    double.strike(
      { kind: 'lost' },
      { isMeant: (request) => new URL(request.url).pathname.endsWith(':addVersion') },
    )
    await expect(stage(name, 'two')).rejects.toMatchObject({ code: 'secret.unavailable' })
    expect(await other.currentVersion(name)).toBe(first)
  })

  test('the first version is what the alias names, so that no later one is current by itself', async () => {
    const name = freshName()
    const first = await stage(name, 'one')
    expect(await byHand.aliases(name)).toEqual({ current: first })
    await byHand.put(name, { url: 'by hand' })
    expect(await store.currentVersion(name)).toBe(first)
  })

  test('a secret without an alias is current with its newest version', async () => {
    const name = freshName()
    await byHand.put(name, { url: 'one' })
    const second = await byHand.put(name, { url: 'two' })
    expect(await store.currentVersion(name)).toBe(second)
    await stage(name, 'three')
    expect(await store.currentVersion(name)).toBe(second)
  })

  test('a secret without a version has no current one, and takes one', async () => {
    const name = freshName()
    const path = `?secretId=${encodeSecretName(name)}`
    await byHand.ask('POST', path, { replication: { automatic: {} } })
    await expect(store.currentVersion(name)).rejects.toMatchObject({ code: 'secret.not_found' })
    expect(await store.versions(name)).toEqual([])
    expect(await stage(name, 'one')).toBe('1')
    expect(await store.currentVersion(name)).toBe('1')
  })

  test('of several versions of one rotation the lowest is kept and the others are disabled', async () => {
    const name = freshName()
    const id = rotation()
    const first = await stage(name, 'one')
    const foreign = await stage(name, 'foreign')
    const text = JSON.stringify({ url: 'three', rotation: id })
    const twins = [await byHand.putText(name, text), await byHand.putText(name, text)]
    expect(await stage(name, 'three', id)).toBe(twins[0] ?? '')
    expect((await enabled(name)).toSorted()).toEqual([first, foreign, twins[0] ?? ''].toSorted())
  })

  test('the same for the first versions of a name, whose current one is never a disabled one', async () => {
    const name = freshName()
    const id = rotation()
    const text = JSON.stringify({ url: 'one', rotation: id })
    for (const _ of [1, 2, 3]) await byHand.putText(name, text)
    strikeOn(double, ':disable', { status: 503, body: '' })
    await expect(stage(name, 'one', id)).rejects.toMatchObject({ code: 'secret.unavailable' })
    expect(await other.currentVersion(name)).toBe('1')
    expect(await stage(name, 'one', id)).toBe('1')
    expect(await enabled(name)).toEqual(['1'])
  })

  test('a rotation that has been promoted is found again, and its version is what it was', async () => {
    const name = freshName()
    const first = await stage(name, 'one')
    const id = rotation()
    const second = await stage(name, 'two', id)
    await store.promote(name, { version: second, previous: first })
    expect(await stage(name, 'two', id)).toBe(second)
    expect(await store.versions(name)).toHaveLength(2)
  })

  test('versions by hand that are no document, or disabled, stand in nobody’s way', async () => {
    const name = freshName()
    await byHand.putText(name, 'just a password')
    await stage(name, 'two')
    for (const text of ['[]', '{"rotation":1}', '\u0000']) await byHand.putText(name, text)
    await store.disable(name, '3')
    expect(await stage(name, 'six')).toBe('6')
  })

  test('a value that comes torn while its own is looked for stops it: it may be the one', async () => {
    const name = freshName()
    await stage(name, 'one')
    strikeOn(double, ':access', {
      status: 200,
      body: '{"name":"x/versions/1","payload":{"data":"","dataCrc32c":"1"}}',
    })
    await expect(stage(name, 'two')).rejects.toMatchObject({ code: 'secret.unavailable' })
    expect(await store.versions(name)).toHaveLength(1)
  })

  test('more enabled versions than are worth reading are told, and none is added', async () => {
    const name = freshName()
    for (let index = 0; index < 101; index += 1) await byHand.put(name, { url: `${index}` })
    await expect(stage(name, 'next')).rejects.toThrow('has 101 enabled versions')
    await store.disable(name, '1')
    expect(await stage(name, 'next')).toBe('102')
  })

  test('eight at once that make one secret under one rotation leave one version', async () => {
    const name = freshName()
    const id = rotation()
    await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? store : other).stage(name, { members: { url: 'x' }, rotation: id }),
      ),
    )
    const version = await stage(name, 'x', id)
    expect(await enabled(name)).toEqual([version])
    expect(await store.currentVersion(name)).toBe(version)
  })

  test('a twin that is added while ours is under way is found, and one of the two is left', async () => {
    const name = freshName()
    const id = rotation()
    const first = await stage(name, 'one')
    let twin = ''
    const late = storeMetBy({
      method: 'POST',
      end: ':addVersion',
      act: async () => {
        twin = await byHand.putText(name, JSON.stringify({ url: 'two', rotation: id }))
      },
    })
    expect(await late.stage(name, { members: { url: 'two' }, rotation: id })).toBe(twin)
    expect((await store.versions(name))[0]?.version).toBe('3')
    expect((await enabled(name)).toSorted()).toEqual([first, twin])
  })

  test('a secret that a twin makes while ours is under way is the one', async () => {
    const name = freshName()
    const late = storeMetBy({
      method: 'POST',
      end: '/secrets',
      act: () => byHand.put(name, { url: 'by hand' }),
    })
    expect(await late.stage(name, { members: { url: 'two' }, rotation: rotation() })).toBe('2')
    expect(await store.currentVersion(name)).toBe('1')
  })

  test.each(['disabled', 'gone'])(
    'a version that is %s by the time it is read is nobody’s',
    async (fate) => {
      const name = freshName()
      const first = await stage(name, 'one')
      const id = rotation()
      const second = await stage(name, 'two', id)
      const path = `/${encodeSecretName(name)}/versions/${second}`
      const late = storeMetBy({
        method: 'GET',
        end: `${path}:access`,
        act: () => byHand.ask('POST', `${path}:disable`, {}),
      })
      if (fate === 'gone') {
        strikeOn(double, `${path}:access`, {
          status: 404,
          body: '{"error":{"status":"NOT_FOUND"}}',
        })
      }
      expect(await late.stage(name, { members: { url: 'two' }, rotation: id })).toBe('3')
      expect((await enabled(name)).toSorted()).toEqual([first, '3'])
    },
  )
})
