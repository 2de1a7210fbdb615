import { z } from 'zod'
import type { RowFormat, RowLimits } from '#core/reading/read-rows.ts'
import { streamBody } from './body.ts'

/** One upload: a hundred thousand rows of 600 bytes, which stage in seconds. */
const uploadBytesMax = 67_108_864
const uploadRowsMax = 100_000
/** Clocks of senders may be ahead of ours by this much. */
const clockSkewMs = 300_000

const formats: Readonly<Record<string, RowFormat>> = {
  'application/x-ndjson': 'ndjson',
  'text/csv': 'csv',
}

/** For a route's description. */
export const uploadSize = `${uploadRowsMax} rows or ${uploadBytesMax} bytes`

/** A stream of rows, one a line; `row` documents one of them as JSON. */
export function rowsBody(row: z.ZodType) {
  const content = {
    'application/x-ndjson': { schema: row },
    'text/csv': { schema: undefined },
  }
  return streamBody({ content, bytesMax: uploadBytesMax })
}

/** By what the rows of such a body are read; one later than `latestMs` has not happened yet. */
export function rowLimits(mediaType: string, now: Date): RowLimits & { readonly latestMs: number } {
  return {
    format: formats[mediaType] ?? 'ndjson',
    bytesMax: uploadBytesMax,
    rowsMax: uploadRowsMax,
    latestMs: now.getTime() + clockSkewMs,
  }
}

/** What every upload tells of itself. */
export const uploadedSchema = z.strictObject({
  id: z.uuid(),
  rows: z.int().nonnegative(),
  stored: z.int().nonnegative(),
  duplicates: z.int().nonnegative(),
})
uploadedSchema.register(z.globalRegistry, { title: 'Upload' })
