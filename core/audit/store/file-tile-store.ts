import { constants } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkedKind, type ObjectKind } from './object-path.ts'
import { bundleBytesMax, packBundle, unpackBundle } from './packed-bundle.ts'
import { SourceUnreachable, type TileSource } from './tile-source.ts'
import { TileConflict, type TileStore } from './tile-store.ts'

/** Readable for a shipper or web server of the same group. */
const fileMode = 0o640
const directoryMode = 0o750

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
    return packed === undefined
      ? await readFile(join(root, path))
      : await unpackBundle(path, packed)
  }

  return { read, listCheckpoints: () => listCheckpoints(root) }
}

/**
 * Opens the directory, made when it is missing. Throws `SourceUnreachable` when it cannot be
 * written.
 */
export async function openFileTileStore(root: string): Promise<TileStore> {
  await guarded(root, () => mkdir(root, { recursive: true, mode: directoryMode }))
  const identity = await identityOf(root)
  const source = fileTileSource(root)
  /** Directories with new names in them, to be synced before the checkpoint that needs them. */
  let touched = new Set<string>()

  async function writeOnce(path: string, bytes: Uint8Array): Promise<void> {
    const kind = checkedKind(path)
    const file = fileOf(root, path, kind)
    const packed = kind === 'bundle' ? packBundle(bytes) : bytes
    if (await guarded(path, () => createFile(file, packed))) touched.add(dirname(file))
    else if (!isSame(await source.read(path), bytes)) throw new TileConflict(path)
    if (isFullTile(path, kind)) await rm(`${join(root, path)}.p`, { recursive: true, force: true })
  }

  async function writeCheckpoint(bytes: Uint8Array): Promise<void> {
    // Written into a directory that was moved away or deleted, nobody would ever see it.
    if ((await identityOf(root)) !== identity) {
      throw new SourceUnreachable(`${root} is no longer the directory that was opened`)
    }
    const directories = touched
    touched = new Set()
    await guarded('checkpoint', async () => {
      await Promise.all([...directories].map(syncDirectory))
      const temporary = await writeTemporary(join(root, 'checkpoint'), bytes)
      await rename(temporary, join(root, 'checkpoint'))
      await syncDirectory(root)
    })
  }

  return { ...source, writeOnce, writeCheckpoint }
}

function isSame(present: Uint8Array | undefined, bytes: Uint8Array): boolean {
  return present !== undefined && Buffer.compare(present, bytes) === 0
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
    await unlink(temporary)
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

async function identityOf(root: string): Promise<string> {
  return await guarded(root, async () => {
    const { dev, ino } = await stat(root)
    return `${dev}:${ino}`
  })
}

/** Nothing of a log is larger than a bundle, packed or not. */
async function readFile(file: string): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { size } = await handle.stat()
      if (size > bundleBytesMax) throw new SourceUnreachable(`${file} is larger than any object`)
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
