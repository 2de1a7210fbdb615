import { invariant } from '#core/invariant.ts'
import { parseTilePath } from '../tree/tile.ts'

export type ObjectKind = 'checkpoint' | 'history' | 'tile' | 'bundle'

const historyPath = /^checkpoints\/(?:0|[1-9]\d{0,15})$/

/** What a path of a published log names; undefined for every other path, so none leads out of it. */
export function objectKind(path: string): ObjectKind | undefined {
  if (path === 'checkpoint') return 'checkpoint'
  if (historyPath.test(path)) return 'history'
  const parsed = parseTilePath(path)
  if (parsed === undefined) return undefined
  return 'entries' in parsed ? 'bundle' : 'tile'
}

export function checkedKind(path: string): ObjectKind {
  const kind = objectKind(path)
  invariant(kind !== undefined, `${path} is no path of a log`)
  return kind
}
