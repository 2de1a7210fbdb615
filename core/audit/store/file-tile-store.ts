import { constants, fstatSync, openSync } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import pLimit from 'p-limit'
import { checkedKind, type ObjectKind } from './object-path.ts'
import { bundleBytesMax, packBundle, unpackBundle } from './packed-bundle.ts'
import { SourceUnreachable, type TileSource } from './tile-source.ts'
import { TileConflict, type TileStore } from './tile-store.ts'

/** Readable for a shipper or web server of the same group. */
const fileMode = 0o640
const directoryMode = 0o750
/** Of a sequencer, whose descriptors would go up and down with its load; all at once is a third faster. */
const openAtOnce = 2

/**
 * A published log in a directory. Bundles are `tile/entries/<N>.gz`: what `gzip_static` of a web
 * server serves under the path without the suffix.
 */
export function fileTileSource(root: string): TileSource {
  async function read(path: string): Promise<Uint8Array | undefined> {
    const kind = checkedKind(path)
    if (kind !== 'bundle') return await readFile(join(root, path))
    const packed = await readFile(`${join(root, path)}.gz`)
    // A log that another program wrote has them as they are.
    return packed === undefined ? await readFile(join(root, path)) : unpackBundle(packed)
  }

  return { read, listCheckpoints: () => listCheckpoints(root) }
}

/**
 * Opens the directory, made when it is missing. Throws `SourceUnreachable` when it cannot be
 * written.
 */
export async function openFileTileStore(root: string): Promise<TileStore> {
  await guarded(root, () => mkdir(root, { recursive: true, mode: directoryMode }))
  // Held open for as long as the process lives: the number of a deleted directory is given to
  // another only when nobody has it open.
  const held = await guarded(root, async () => openSync(root, constants.O_DIRECTORY))
  const source = fileTileSource(root)
  const limit = pLimit(openAtOnce)
  const read = (path: string) => limit(source.read, path)
  /** Directories with new names in them, to be synced before the checkpoint that needs them. */
  let unsynced: readonly string[] = []
  /** Directories of partial tiles whose full one was written. */
  let fulfilled: readonly string[] = []

  async function writeOnce(path: string, bytes: Uint8Array): Promise<void> {
    const kind = checkedKind(path)
    const file = fileOf(root, path, kind)
    const packed = kind === 'bundle' ? packBundle(bytes) : bytes
    const isNew = await guarded(path, () => limit(createFile, file, packed))
    if (!isNew && !isSame(await read(path), bytes)) throw new TileConflict(path)
    // Also where it was there: who wrote it may have ended before the directory was synced.
    unsynced = [...unsynced, dirname(file)]
    if (isFullTile(path, kind)) fulfilled = [...fulfilled, `${join(root, path)}.p`]
  }

  async function writeCheckpoint(bytes: Uint8Array): Promise<void> {
    // Written into a directory that was moved away or deleted, nobody would ever see it.
    if (!(await guarded(root, () => isAt(held, root)))) {
      throw new SourceUnreachable(`${root} is no longer the directory that was opened`)
    }
    const [directories, partials] = [unsynced, fulfilled]
    unsynced = []
    fulfilled = []
    try {
      await guarded('checkpoint', async () => {
        // Everything that leads to what the checkpoint needs is durable before it.
        await limit.map(withParents(root, directories), syncDirectory)
        await replaceCheckpoint(root, bytes)
        await limit.map(partials, removeDirectory)
      })
    } catch (error) {
      unsynced = [...unsynced, ...directories]
      fulfilled = [...fulfilled, ...partials]
      throw error
    }
  }

  return { ...source, read, writeOnce, writeCheckpoint }
}

function isSame(present: Uint8Array | undefined, bytes: Uint8Array): boolean {
  return present !== undefined && Buffer.compare(present, bytes) === 0
}

async function replaceCheckpoint(root: string, bytes: Uint8Array): Promise<void> {
  const temporary = await writeTemporary(join(root, 'checkpoint'), bytes)
  await rename(temporary, join(root, 'checkpoint'))
  await syncDirectory(root)
}

/** A directory may be as new as what is in it, and is then a new name in its parent. */
function withParents(root: string, directories: readonly string[]): Set<string> {
  const all = new Set([root])
  for (const directory of new Set(directories)) {
    let path = root
    for (const name of relative(root, directory).split(sep)) {
      path = join(path, name)
      all.add(path)
    }
  }
  return all
}

async function removeDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
}

function fileOf(root: string, path: string, kind: ObjectKind): string {
  return kind === 'bundle' ? `${join(root, path)}.gz` : join(root, path)
}

function isFullTile(path: string, kind: ObjectKind): boolean {
  return (kind === 'tile' || kind === 'bundle') && !path.includes('.p/')
}

/** False when the name was taken; then nothing was changed. */
async function createFile(file: string, bytes: Uint8Array): Promise<boolean> {
  const temporary = await writeTemporary(file, bytes)
  try {
    // Unlike a rename a link never replaces.
    await link(temporary, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    // Another leader may have removed the partial tiles' directory with it.
    await rm(temporary, { force: true })
  }
}

async function writeTemporary(file: string, bytes: Uint8Array): Promise<string> {
  const temporary = `${file}.${Bun.randomUUIDv7()}.tmp`
  const handle = await openNew(temporary)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  } finally {
    await handle.close()
  }
  return temporary
}

async function openNew(file: string) {
  try {
    return await open(file, 'wx', fileMode)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    await mkdir(dirname(file), { recursive: true, mode: directoryMode })
    return await open(file, 'wx', fileMode)
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function isAt(held: number, root: string): Promise<boolean> {
  const [opened, found] = [fstatSync(held), await stat(root)]
  return opened.dev === found.dev && opened.ino === found.ino
}

/** A link out of the directory is not followed, and a pipe not waited for. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

async function readFile(file: string): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(file, readFlags)
    try {
      const status = await handle.stat()
      if (!status.isFile()) throw new SourceUnreachable(`${file} is not a file`)
      // Nothing of a log is larger than a bundle, packed or not.
      if (status.size > bundleBytesMax) throw new SourceUnreachable(`${file} is too large`)
      return new Uint8Array(await handle.readFile())
    } finally {
      await handle.close()
    }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (error instanceof SourceUnreachable) throw error
    throw new SourceUnreachable(`${file} cannot be read`, { cause: error })
  }
}

async function listCheckpoints(root: string): Promise<readonly number[]> {
  try {
    const names = await readdir(join(root, 'checkpoints'))
    return names
      .filter((name) => /^(?:0|[1-9]\d{0,15})$/.test(name))
      .map(Number)
      .sort((a, b) => a - b)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw new SourceUnreachable(`${root}/checkpoints cannot be listed`, { cause: error })
  }
}

async function guarded<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof SourceUnreachable) throw cause
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new SourceUnreachable(`${what} cannot be written: ${words}`, { cause })
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
