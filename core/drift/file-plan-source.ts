import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { boundedBytes } from './bounded-bytes.ts'
import type { PlanSource } from './plan-source.ts'

/** A directory, mounted from wherever the CI run writes to. */
export function filePlanSource(directory: string): PlanSource {
  return {
    async read(object, { bytesMax, signal }) {
      const file = await openPlain(join(directory, object))
      if (file === undefined) return undefined
      try {
        if (!(await file.stat()).isFile()) throw unavailable(`${object} is no file`)
        return await boundedBytes(
          file.createReadStream({ signal, autoClose: false }),
          object,
          bytesMax,
        )
      } finally {
        await file.close()
      }
    },
  }
}

/** No link is followed, and no pipe waited for. */
async function openPlain(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw unavailable(codeOf(cause) ?? 'cannot be read', cause)
  }
}

const withCode = z.object({ code: z.string() })

function codeOf(error: unknown): string | undefined {
  return withCode.safeParse(error).data?.code
}

function unavailable(reason: string, cause?: unknown): PosternError {
  return new PosternError('drift.source_unavailable', { reason, cause })
}
