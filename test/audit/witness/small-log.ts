import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { signNote } from '#core/audit/note/note.ts'
import { generateSignerKey, type NoteSigner, parseSignerKey } from '#core/audit/note/signer.ts'
import { emptyRoot, type Hash, hashLeaf, hashNode } from '#core/audit/tree/hash.ts'

export const origin = 'postern.example.com/audit'

export type SmallLog = {
  readonly signer: NoteSigner
  /** A signed checkpoint of the first `size` entries. */
  note(size: number): string
  root(size: number): Hash
  consistency(oldSize: number, newSize: number): Hash[]
}

/** RFC 6962, 2.1, by its recursive definition. Entries from `forkAt` on differ between branches. */
export function smallLog(
  options: {
    readonly signer?: NoteSigner
    readonly forkAt?: number
    readonly branch?: string
  } = {},
): SmallLog {
  const { forkAt = Number.POSITIVE_INFINITY, branch = 'main' } = options
  const signer = options.signer ?? makeSigner(origin, 'ed25519')
  const leaf = (index: number) =>
    hashLeaf(new TextEncoder().encode(`${index >= forkAt ? branch : 'main'} ${index}`))

  function subtree(from: number, to: number): Hash {
    if (to - from === 0) return emptyRoot
    if (to - from === 1) return leaf(from)
    const middle = from + split(to - from)
    return hashNode(subtree(from, middle), subtree(middle, to))
  }

  function prove(old: number, from: number, to: number, isWhole: boolean): Hash[] {
    if (old === to - from) return isWhole ? [] : [subtree(from, to)]
    const middle = from + split(to - from)
    return old <= middle - from
      ? [...prove(old, from, middle, isWhole), subtree(middle, to)]
      : [...prove(old - (middle - from), middle, to, false), subtree(from, middle)]
  }

  const root = (size: number) => subtree(0, size)
  return {
    signer,
    root,
    note: (size) => signNote(formatCheckpoint({ origin, size, root: root(size) }), [signer]),
    consistency: (oldSize, newSize) => (oldSize === 0 ? [] : prove(oldSize, 0, newSize, true)),
  }
}

/** The largest power of two below `size`. */
function split(size: number): number {
  let half = 1
  while (half * 2 < size) half *= 2
  return half
}

export function makeSigner(name: string, type: 'ed25519' | 'cosignature'): NoteSigner {
  return parseSignerKey(generateSignerKey(name, type).signerKey)
}
