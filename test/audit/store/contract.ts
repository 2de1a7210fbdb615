import { expect, test } from 'bun:test'
import { TileConflict, type TileStore } from '#core/audit/store/tile-store.ts'
import { encodeBundle } from '#core/audit/tree/tile.ts'

const text = new TextEncoder()
const bundle = (...entries: string[]) => encodeBundle(entries.map((entry) => text.encode(entry)))

/** What every store promises; `open` gives a new one over the same, empty place. */
export function storeContract(name: string, open: () => Promise<TileStore>): void {
  test(`${name}: what was written is read, and nothing else is there`, async () => {
    const store = await open()
    expect(await store.read('checkpoint')).toBeUndefined()
    expect(await store.read('tile/0/000')).toBeUndefined()
    await store.writeOnce('tile/0/000.p/2', new Uint8Array(64).fill(1))
    await store.writeOnce('tile/entries/000.p/2', bundle('one', 'two'))
    await store.writeOnce('checkpoints/2', text.encode('note 2'))
    await store.writeCheckpoint(text.encode('note 2'))
    const again = await open()
    expect(await again.read('tile/0/000.p/2')).toEqual(new Uint8Array(64).fill(1))
    expect(await again.read('tile/entries/000.p/2')).toEqual(bundle('one', 'two'))
    expect(await again.read('checkpoint')).toEqual(text.encode('note 2'))
    expect(await again.listCheckpoints?.()).toContain(2)
  })

  test(`${name}: the same again is done, other bytes are a conflict and change nothing`, async () => {
    const store = await open()
    for (const path of ['tile/entries/007', 'tile/1/007', 'checkpoints/7']) {
      const bytes = bundle('as it was')
      await store.writeOnce(path, bytes)
      await store.writeOnce(path, bytes)
      const other = store.writeOnce(path, bundle('as it is told')).catch((error: unknown) => error)
      expect(await other).toBeInstanceOf(TileConflict)
      expect(await store.read(path)).toEqual(bytes)
    }
  })

  test(`${name}: of two that write one path at once, one wins and the other hears of it`, async () => {
    const [left, right] = [await open(), await open()]
    const path = 'tile/0/x001/009'
    const results = await Promise.allSettled([
      left.writeOnce(path, new Uint8Array(8_192).fill(1)),
      right.writeOnce(path, new Uint8Array(8_192).fill(2)),
    ])
    const kinds = results.map(({ status }) => status).sort()
    expect(kinds).toEqual(['fulfilled', 'rejected'])
  })

  test(`${name}: only the checkpoint is replaced`, async () => {
    const store = await open()
    await store.writeCheckpoint(text.encode('first'))
    await store.writeCheckpoint(text.encode('second'))
    expect(await store.read('checkpoint')).toEqual(text.encode('second'))
  })

  test.each(['../etc/passwd', 'tile/0/0', 'tile/0/x000/001', 'tile/64/000', '/checkpoint', ''])(
    `${name}: %p is no path of a log`,
    async (path) => {
      const store = await open()
      await expect(store.read(path)).rejects.toThrow('no path of a log')
      await expect(store.writeOnce(path, new Uint8Array())).rejects.toThrow('no path of a log')
    },
  )
}
