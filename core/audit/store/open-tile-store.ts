import { ConfigError } from '#core/config.ts'
import { fileTileSource, openFileTileStore } from './file-tile-store.ts'
import { type HttpOptions, httpTileSource } from './http-tile-source.ts'
import { openS3TileStore, parseS3Place, type S3Options } from './s3-tile-store.ts'
import type { TileSource } from './tile-source.ts'
import type { TileStore } from './tile-store.ts'

/** Opens what a text names: a directory, or `s3://bucket/prefix`. Throws `ConfigError`. */
export async function openTileStore(text: string, options: S3Options): Promise<TileStore> {
  if (text.startsWith('s3:')) return await openS3TileStore(checkedPlace(text), options)
  if (/^https?:/.test(text)) {
    throw new ConfigError(['POSTERN_AUDIT_STORE: a log is published to a directory or to s3://'])
  }
  return await openFileTileStore(text)
}

/**
 * For readers: a directory, `https://host/prefix/` or `s3://bucket/prefix`. Throws `ConfigError`.
 */
export async function openTileSource(
  text: string,
  options: S3Options & HttpOptions,
): Promise<TileSource> {
  if (text.startsWith('s3:')) return await openS3TileStore(checkedPlace(text), options)
  if (!/^https?:/.test(text)) return fileTileSource(text)
  if (!URL.canParse(text)) throw new ConfigError([`POSTERN_AUDIT_STORE: ${text} is not a URL`])
  return httpTileSource(text, options)
}

function checkedPlace(text: string) {
  const place = parseS3Place(text)
  if (place !== undefined) return place
  throw new ConfigError([`POSTERN_AUDIT_STORE: ${text} is not of the form s3://bucket/prefix`])
}
