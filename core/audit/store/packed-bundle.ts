import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { entryBytesMax, tileWidth } from '../tree/tile.ts'
import { SourceUnreachable } from './tile-source.ts'

/**
 * Entry bundles are stored gzipped: records repeat their member names, and shrink to a quarter.
 * Level 1 costs a third of level 6 and gains a tenth less.
 */
const level = 1

/** 256 entries of 65,535 bytes and their lengths; more is no bundle, whatever it unpacks to. */
export const bundleBytesMax = tileWidth * (entryBytesMax + 2)

export function packBundle(bytes: Uint8Array): Uint8Array {
  return Bun.gzipSync(new Uint8Array(bytes), { level })
}

const unpack = promisify(gunzip)

/** Throws `SourceUnreachable` for what is not gzip or unpacks to more than a bundle. */
export async function unpackBundle(path: string, packed: Uint8Array): Promise<Uint8Array> {
  try {
    return new Uint8Array(await unpack(packed, { maxOutputLength: bundleBytesMax }))
  } catch (cause) {
    throw new SourceUnreachable(`${path} cannot be unpacked`, { cause })
  }
}
