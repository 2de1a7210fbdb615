import { describe, expect, test } from 'bun:test'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import { strikeOn } from '../doubles/gcp-subject.ts'
import { gcpWorld } from './gcp-world.ts'
import { freshName } from './store-contract.ts'

describe('gcp, aliases:', () => {
  const { double, store, other, byHand, stage, storeMetBy } = gcpWorld()

  async function staged() {
    const name = freshName()
    const first = await stage(name, 'one')
    return { name, first, second: await stage(name, 'two') }
  }
  const conflict = (status: string, times: number) =>
    double.strike(
      {
        kind: 'answer',
        status: status === 'ABORTED' ? 409 : 400,
        body: JSON.stringify({ error: { status } }),
      },
      { times, isMeant: (request) => request.method === 'PATCH' },
    )

  test('the aliases of others are kept', async () => {
    const { name, first, second } = await staged()
    await byHand.ask('PATCH', `/${encodeSecretName(name)}?updateMask=version_aliases`, {
      versionAliases: { current: first, tested: second },
    })
    await store.promote(name, { version: second, previous: first })
    expect(await byHand.aliases(name)).toEqual({
      current: second,
      previous: first,
      tested: second,
    })
  })

  test.each(['FAILED_PRECONDITION', 'ABORTED'])(
    'labels that somebody else has written meanwhile (%s) are read anew',
    async (status) => {
      const { name, first, second } = await staged()
      conflict(status, 4)
      await store.promote(name, { version: second, previous: first })
      expect(await store.currentVersion(name)).toBe(second)
      conflict(status, 5)
      const back = { version: first, previous: second }
      await expect(store.promote(name, back)).rejects.toMatchObject({
        code: 'secret.unavailable',
      })
      expect(await store.currentVersion(name)).toBe(second)
    },
  )

  test('what two write at once is never half of one and half of the other', async () => {
    const { name, first, second } = await staged()
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([
        store.promote(name, { version: second, previous: first }),
        other.promote(name, { version: first, previous: second }),
      ])
      const { current, previous } = await byHand.aliases(name)
      expect([current, previous].toSorted()).toEqual([first, second].toSorted())
    }
  })

  test('promoted again nothing is written', async () => {
    const { name, first, second } = await staged()
    await store.promote(name, { version: second, previous: first })
    double.clear()
    await store.promote(name, { version: second, previous: first })
    expect(double.requests.map((each) => each.split(' ')[0])).toEqual(['GET'])
  })

  test('a version that is not there becomes neither', async () => {
    const { name, first } = await staged()
    for (const versions of [
      { version: '9', previous: first },
      { version: first, previous: '9' },
    ]) {
      await expect(store.promote(name, versions)).rejects.toMatchObject({
        code: 'secret.not_found',
      })
    }
    expect(await byHand.aliases(name)).toEqual({ current: first })
  })

  test('a version that the service leaves enabled was not disabled', async () => {
    const { name, second } = await staged()
    strikeOn(double, ':disable', {
      status: 400,
      body: JSON.stringify({ error: { status: 'FAILED_PRECONDITION' } }),
    })
    await expect(store.disable(name, second)).rejects.toThrow('stays enabled')
  })

  test('an alias that somebody sets while ours are under way is kept', async () => {
    const { name, first, second } = await staged()
    const path = `/${encodeSecretName(name)}?updateMask=version_aliases`
    const late = storeMetBy({
      method: 'PATCH',
      end: encodeSecretName(name),
      act: () => byHand.ask('PATCH', path, { versionAliases: { current: first, tested: second } }),
    })
    await late.promote(name, { version: second, previous: first })
    expect(await byHand.aliases(name)).toEqual({
      current: second,
      previous: first,
      tested: second,
    })
  })
})
