import { TileConflict, type TileStore } from '#core/audit/store/tile-store.ts'

/** A tile store whose objects a test can look at and change. `check` may refuse a checkpoint. */
export function memoryTileStore(check: (checkpoint: Uint8Array) => void = () => undefined) {
  const objects = new Map<string, Uint8Array>()
  const store: TileStore = {
    async read(path) {
      return objects.get(path)
    },
    async writeOnce(path, bytes) {
      const present = objects.get(path)
      if (present === undefined) objects.set(path, bytes)
      else if (Buffer.compare(present, bytes) !== 0) throw new TileConflict(path)
    },
    async writeCheckpoint(bytes) {
      check(bytes)
      objects.set('checkpoint', bytes)
    },
  }
  return { store, objects }
}
