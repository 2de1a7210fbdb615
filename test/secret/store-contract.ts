import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { documentBytesMax } from '#core/secret/secret-document.ts'
import type { SecretMembers, SecretStore } from '#core/secret/secret-store.ts'

/** A store under the contract. Names of a test are its own, so that outside servers can be shared. */
export type StoreSubject = {
  readonly store: SecretStore
  /** Another process with the same rights. */
  readonly other: SecretStore
  /** A secret that somebody has put there by hand, as the store's own tools do; returns its version. */
  putByHand(name: string, members: SecretMembers): Promise<string>
  /** The same store as a process sees it that cannot reach it. */
  outOfReach(): SecretStore
  close(): Promise<void>
}

const own = Bun.randomUUIDv7().slice(-12)
let names = 0
export function freshName(): string {
  names += 1
  return `postern-test/${own}/${names}`
}
export const rotation = () => Bun.randomUUIDv7()
/** A value that must be seen nowhere. */
export const canary = 'hunter2-Canary'

/** Every adapter passes this, against a double of ours or a server that nobody here wrote. */
export function storeContract(title: string, open: () => Promise<StoreSubject>): void {
  describe(`${title}:`, () => {
    let subject: StoreSubject
    let store: SecretStore
    beforeAll(async () => {
      subject = await open()
      store = subject.store
    })
    afterAll(() => subject?.close())

    const stage = (name: string, members: SecretMembers, id = rotation()) =>
      store.stage(name, { members, rotation: id })
    /** A name with a current version, and the next one staged. */
    async function staged(): Promise<{ name: string; first: string; second: string }> {
      const name = freshName()
      const first = await stage(name, { url: 'one' })
      return { name, first, second: await stage(name, { url: 'two' }) }
    }
    const enabled = async (name: string) =>
      (await store.versions(name)).filter(({ isEnabled }) => isEnabled).map((one) => one.version)

    test('a name that is not there is not found, whatever is asked of it', async () => {
      const name = freshName()
      const notFound = { code: 'secret.not_found' }
      await expect(store.currentVersion(name)).rejects.toMatchObject(notFound)
      await expect(store.versions(name)).rejects.toMatchObject(notFound)
      await expect(store.read(name, '1')).rejects.toMatchObject(notFound)
      await expect(store.disable(name, '1')).rejects.toMatchObject(notFound)
      await expect(store.promote(name, { version: '1', previous: '2' })).rejects.toMatchObject(
        notFound,
      )
    })

    test('the first version of a name is current, read by its id, and listed', async () => {
      const name = freshName()
      const version = await stage(name, { url: 'one', user: 'a' })
      expect(await store.currentVersion(name)).toBe(version)
      expect(await store.read(name, version)).toEqual({ url: 'one', user: 'a' })
      expect(await store.list()).toContain(name)
      const [listed, ...rest] = await store.versions(name)
      expect(rest).toEqual([])
      expect(listed).toMatchObject({ version, isEnabled: true })
      expect(Math.abs((listed?.createdAt.getTime() ?? 0) - Date.now())).toBeLessThan(3_600_000)
    })

    test('a version that is not there is not found, and no other is read in its stead', async () => {
      const { name, second } = await staged()
      for (const version of ['99', 'latest', 'AWSCURRENT', second.slice(0, -1), '', '../1']) {
        if (version === second) continue
        await expect(store.read(name, version)).rejects.toMatchObject({ code: 'secret.not_found' })
      }
    })

    test('who reads what is current does not see a staged version', async () => {
      const { name, first, second } = await staged()
      expect(second).not.toBe(first)
      expect(await store.currentVersion(name)).toBe(first)
      expect(await store.read(name, first)).toEqual({ url: 'one' })
      expect(await store.read(name, second)).toEqual({ url: 'two' })
      expect((await store.versions(name)).map(({ version }) => version)).toEqual([second, first])
    })

    test('the same beside a version that was put there by hand', async () => {
      const name = freshName()
      const first = await subject.putByHand(name, { url: 'by hand' })
      expect(await store.read(name, first)).toEqual({ url: 'by hand' })
      const second = await stage(name, { url: 'two' })
      expect(await store.currentVersion(name)).toBe(first)
      expect(await store.read(name, second)).toEqual({ url: 'two' })
    })

    test('staged again under the same rotation it is the same version', async () => {
      const { name, first } = await staged()
      const id = rotation()
      const version = await stage(name, { url: 'three' }, id)
      expect(await stage(name, { url: 'three' }, id)).toBe(version)
      expect(await subject.other.stage(name, { members: { url: 'three' }, rotation: id })).toBe(
        version,
      )
      expect(await store.versions(name)).toHaveLength(3)
      expect(await store.currentVersion(name)).toBe(first)
    })

    test('staged at once by two under one rotation, one version is left that is enabled', async () => {
      const { name, first, second } = await staged()
      const id = rotation()
      const secret = { members: { url: 'three' }, rotation: id }
      await Promise.allSettled([store.stage(name, secret), subject.other.stage(name, secret)])
      const version = await store.stage(name, secret)
      expect(await subject.other.stage(name, secret)).toBe(version)
      expect((await enabled(name)).toSorted()).toEqual([first, second, version].toSorted())
    })

    test('promoted, rolled back and promoted again, each twice', async () => {
      const { name, first, second } = await staged()
      const forward = { version: second, previous: first }
      const back = { version: first, previous: second }
      for (const step of [forward, forward, back, back, forward]) {
        await store.promote(name, step)
        expect(await subject.other.currentVersion(name)).toBe(step.version)
      }
      const third = await stage(name, { url: 'three' })
      expect(await store.currentVersion(name)).toBe(second)
      await store.promote(name, { version: third, previous: second })
      expect(await store.currentVersion(name)).toBe(third)
      expect(await store.read(name, first)).toEqual({ url: 'one' })
    })

    test('a version that was disabled is read by nobody, the others are', async () => {
      const { name, first, second } = await staged()
      await store.promote(name, { version: second, previous: first })
      for (const _ of [1, 2]) await store.disable(name, first)
      await expect(store.read(name, first)).rejects.toMatchObject({ code: 'secret.disabled' })
      await expect(subject.other.read(name, first)).rejects.toMatchObject({
        code: 'secret.disabled',
      })
      expect(await store.read(name, second)).toEqual({ url: 'two' })
      expect(await enabled(name)).toEqual([second])
      expect(await store.currentVersion(name)).toBe(second)
      const third = await stage(name, { url: 'three' })
      expect(await store.read(name, third)).toEqual({ url: 'three' })
    })

    test('names that differ in one character are different secrets, in the spelling they were given', async () => {
      const stem = freshName()
      const all = ['a/b', 'a-b', 'a_b', 'a--b', 'a-s', 'a/s', 'ab', 'a-sb'].map(
        (end) => `${stem}/${end}`,
      )
      const versions = new Map<string, string>()
      for (const name of all) versions.set(name, await stage(name, { url: name }))
      for (const name of all) {
        expect(await store.read(name, versions.get(name) ?? '')).toEqual({ url: name })
      }
      const listed = await store.list()
      expect(all.filter((name) => !listed.includes(name))).toEqual([])
    })

    test('what is stored comes back as it was, whatever characters it has', async () => {
      const members = {
        quotes: `"'\\`,
        lines: 'a\nb\r\n\tc',
        far: 'žluťoučký 🐎 \u2028\ud83d\ude00',
        constructor: 'own',
        url: 'postgres://u:p%40ss@[::1]:5432/d?x=1#f',
        key: `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(64)}\n`,
      }
      const name = freshName()
      expect(await store.read(name, await stage(name, members))).toEqual(members)
    })

    test('a secret as long as one may be is kept; what is no secret is refused, unrepeated', async () => {
      const name = freshName()
      const overhead = JSON.stringify({ url: '', rotation: rotation() }).length
      const longest = 'x'.repeat(documentBytesMax - overhead)
      expect(await store.read(name, await stage(name, { url: longest }))).toEqual({ url: longest })
      const refused: readonly SecretMembers[] = [
        { url: `${longest}x` },
        {},
        { url: '' },
        { 'a-b': canary },
        { rotation: canary },
        { ['x'.repeat(65)]: canary },
      ]
      for (const members of refused) {
        const error: unknown = await stage(name, members).catch((cause: unknown) => cause)
        expect(error).toMatchObject({ code: 'secret.refused' })
        expect(JSON.stringify(error)).not.toContain(canary)
      }
      expect(await store.versions(name)).toHaveLength(1)
    })

    test('twelve versions on, the first is still there for who is current with it', async () => {
      const name = freshName()
      const first = await stage(name, { url: 'one' })
      for (let index = 0; index < 12; index += 1) await stage(name, { url: `${index}` })
      if (store.name !== 'file') expect(await store.versions(name)).toHaveLength(13)
      expect(await store.currentVersion(name)).toBe(first)
      expect(await store.read(name, first)).toEqual({ url: 'one' })
    })

    test('out of reach every question is an outage that holds no value', async () => {
      const { name, first, second } = await staged()
      const away = subject.outOfReach()
      const secret = { members: { url: canary }, rotation: rotation() }
      const asked = [
        () => away.check(),
        () => away.list(),
        () => away.versions(name),
        () => away.currentVersion(name),
        () => away.read(name, first),
        () => away.stage(name, secret),
        () => away.promote(name, { version: second, previous: first }),
        () => away.disable(name, first),
      ]
      for (const ask of asked) {
        const error: unknown = await ask().catch((cause: unknown) => cause)
        expect(error).toMatchObject({ code: 'secret.unavailable' })
        expect(`${JSON.stringify(error)} ${error} ${Bun.inspect(error)}`).not.toContain(canary)
      }
      await store.check()
      expect(await store.read(name, first)).toEqual({ url: 'one' })
    })
  })
}
