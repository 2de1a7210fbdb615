import { gunzipSync } from 'node:zlib'
import { entryBytesMax, tileWidth } from '../tree/tile.ts'

/**
 * Entry bundles are stored gzipped: records repeat their member names, and shrink to a fifth.
 * Measured on 126 KB: libdeflate at level 1 makes 26 KB in 0.44 ms, zlib 39 KB in 0.32 ms; level 6
 * of either takes twice as long for a tenth less.
 */
const compression = { level: 1, library: 'libdeflate' } as const

/** 256 entries of 65,535 bytes and their lengths; more is no bundle, whatever it unpacks to. */
export const bundleBytesMax = tileWidth * (entryBytesMax + 2)

/** Deflate shrinks at most to a 1,032nd, so that what is packed to this unpacks to 66 MB at most. */
const packedBytesUnbounded = 65_536

export function packBundle(bytes: Uint8Array): Uint8Array {
  return Bun.gzipSync(new Uint8Array(bytes), compression)
}

/**
 * What is not gzip, or would unpack to more than a bundle, is given back as it is: those bytes are
 * not what the tree says either, and whoever holds the tree finds that.
 */
export function unpackBundle(packed: Uint8Array): Uint8Array {
  if (declaredBytes(packed) > bundleBytesMax) return packed
  try {
    // libdeflate takes half the time and cannot be told where to stop.
    return packed.length <= packedBytesUnbounded
      ? Bun.gunzipSync(new Uint8Array(packed), { library: 'libdeflate' })
      : new Uint8Array(gunzipSync(packed, { maxOutputLength: bundleBytesMax }))
  } catch {
    return packed
  }
}

/** What gzip writes at its end (RFC 1952, ISIZE); where it is not the truth unpacking fails. */
function declaredBytes(packed: Uint8Array): number {
  const { buffer, byteOffset, length } = packed
  return length < 4 ? 0 : new DataView(buffer, byteOffset, length).getUint32(length - 4, true)
}
