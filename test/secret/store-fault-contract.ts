import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import type { SecretStore } from '#core/secret/secret-store.ts'
import type { Fault } from '../doubles/fault-server.ts'
import { canary, freshName, rotation, type StoreSubject } from './store-contract.ts'

/** A store whose requests go through a server that fails on purpose. */
export type StruckSubject = Pick<StoreSubject, 'store' | 'close'> & {
  /** What becomes of the next requests; those that only log in are not struck. */
  strike(fault: Fault, times?: number): void
  clear(): void
  /** Whatever the store has given us to log in with is worthless from now on. */
  expireLogins?(): void
  /** Versions that are written from now on are seen by reads this many requests later. */
  hideNewFor?(requests: number): void
}

const struck: readonly (readonly [string, Fault, object])[] = [
  [
    '429',
    { kind: 'answer', status: 429, headers: { 'retry-after': '17' }, body: canary },
    { retryAfterSeconds: 17 },
  ],
  ['500', { kind: 'answer', status: 500, body: canary }, {}],
  ['503', { kind: 'answer', status: 503, body: canary }, {}],
  ['403', { kind: 'answer', status: 403, body: canary }, {}],
  [
    'a redirect',
    { kind: 'answer', status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: canary },
    {},
  ],
  ['a page', { kind: 'answer', status: 200, body: `<html>${canary}` }, {}],
  ['an empty object', { kind: 'answer', status: 200, body: '{}' }, {}],
  ['half an answer', { kind: 'torn' }, {}],
]

/** What the adapter of a store over HTTP keeps while the store or the way to it is not well. */
export function storeFaultContract(
  title: string,
  open: () => Promise<StruckSubject>,
  { hasLogins, hidesNew }: { readonly hasLogins: boolean; readonly hidesNew: boolean },
): void {
  describe(`${title}, struck:`, () => {
    let subject: StruckSubject
    let store: SecretStore
    beforeAll(async () => {
      subject = await open()
      store = subject.store
    })
    afterEach(() => subject.clear())
    afterAll(() => subject?.close())

    const stage = (name: string, url: string, id = rotation()) =>
      store.stage(name, { members: { url }, rotation: id })
    async function staged() {
      const name = freshName()
      const first = await stage(name, 'one')
      return { name, first, second: await stage(name, 'two') }
    }

    test.each(struck)(
      '%s is an outage without any value, and says when to come back',
      async (_, fault, expected) => {
        const { name, first } = await staged()
        subject.strike(fault, 10)
        const error: unknown = await store.read(name, first).catch((cause: unknown) => cause)
        expect(error).toMatchObject({ code: 'secret.unavailable', ...expected })
        expect(`${JSON.stringify(error)} ${Bun.inspect(error)}`).not.toContain(canary)
        subject.clear()
        expect(await store.read(name, first)).toEqual({ url: 'one' })
      },
    )

    test.each([1, 2, 3, 4])(
      'a staging that lost its first %d answers is found by the next',
      async (times) => {
        const { name, first, second } = await staged()
        const id = rotation()
        subject.strike({ kind: 'lost' }, times)
        let version: string | undefined
        while (version === undefined)
          version = await stage(name, 'three', id).catch(() => undefined)
        subject.clear()
        expect(await stage(name, 'three', id)).toBe(version)
        expect(await store.read(name, version)).toEqual({ url: 'three' })
        const enabled = (await store.versions(name)).filter(({ isEnabled }) => isEnabled)
        expect(new Set(enabled.map((one) => one.version))).toEqual(
          new Set([first, second, version]),
        )
        expect(await store.currentVersion(name)).toBe(first)
      },
    )

    const testLogins = hasLogins ? test : undefined
    testLogins?.('a login that has run out is renewed within the call', async () => {
      const { name, first } = await staged()
      for (const _ of [1, 2, 3]) {
        subject.expireLogins?.()
        expect(await store.read(name, first)).toEqual({ url: 'one' })
      }
      subject.expireLogins?.()
      expect(await stage(name, 'three')).not.toBe(first)
    })

    const testVisibility = hidesNew ? test : undefined
    testVisibility?.('a version that is not shown yet is not found, and then it is', async () => {
      const { name } = await staged()
      subject.hideNewFor?.(3)
      const version = await stage(name, 'late')
      const seen: string[] = []
      for (let round = 0; round < 10; round += 1) {
        const read = await store.read(name, version).catch((error: { code?: string }) => error)
        seen.push('code' in read ? `${read.code}` : `${'url' in read ? read['url'] : ''}`)
      }
      expect(seen[0]).toBe('secret.not_found')
      expect(new Set(seen)).toEqual(new Set(['secret.not_found', 'late']))
    })
  })
}
