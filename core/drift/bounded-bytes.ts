import { PlanRefused } from './plan-error.ts'
import type { PlanObject } from './plan-source.ts'

/** All that comes, unless it is more: then `PlanRefused`, and the rest is not taken. */
export async function boundedBytes(
  chunks: AsyncIterable<Uint8Array>,
  object: PlanObject,
  bytesMax: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge(object, bytesMax)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

export function tooLarge(object: PlanObject, bytesMax: number): PlanRefused {
  return new PlanRefused('too_large', `${object} has more than ${bytesMax} bytes.`)
}
