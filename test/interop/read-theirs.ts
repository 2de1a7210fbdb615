import { z } from 'zod'
import { openCheckpoint } from '#core/audit/note/checkpoint.ts'
import { signNote } from '#core/audit/note/note.ts'
import { parseSignerKey } from '#core/audit/note/signer.ts'
import { formatVerifierKey, parseVerifierKey } from '#core/audit/note/verifier-key.ts'
import { fileTileSource } from '#core/audit/store/file-tile-store.ts'
import { appendLeaves, frontierRoot } from '#core/audit/tree/frontier.ts'
import { type Hash, hashLeaf, hashTree, sameHash } from '#core/audit/tree/hash.ts'
import { verifyConsistency, verifyInclusion } from '#core/audit/tree/proof.ts'
import { bundlePath, decodeBundle, tilePath, tilesOf } from '#core/audit/tree/tile.ts'
import { proveConsistency, proveInclusion } from '#core/audit/tree/tile-proof.ts'
import { invariant } from '#core/invariant.ts'
import { readerOf } from './publish-ours.ts'

const hash = z.base64().transform((text): Hash => Uint8Array.from(Buffer.from(text, 'base64')))
const count = z.int().nonnegative()
const claimsText = z.object({
  verifierKey: z.string(),
  signerKey: z.string(),
  inclusions: z.array(
    z.object({ index: count, size: count, leaf: hash, root: hash, proof: z.array(hash) }),
  ),
  consistencies: z.array(
    z.object({
      ...{ oldSize: count, oldRoot: hash, newSize: count, newRoot: hash },
      proof: z.array(hash),
    }),
  ),
})
type Claims = z.infer<typeof claimsText>

/** Verifies a log that the Go program wrote; throws at the first thing that does not hold. */
export async function readTheirs(
  directory: string,
  text: string,
  passed: (what: string) => void,
): Promise<void> {
  const claims = claimsText.parse(JSON.parse(text))
  const { size, root } = await checkNote(directory, claims)
  passed('a checkpoint signed by note.Sign opens, and our signer makes the same note of its key')
  const entries = await checkEntries(directory, size, root)
  passed(`${entries} entries of its bundles have the signed root`)
  const tiles = await checkTiles(directory, size)
  passed(`${tiles} tiles of tlog.NewTiles lie at our paths, each the root of those below`)
  await checkInclusions(directory, claims)
  passed(`${claims.inclusions.length} proofs of tlog.ProveRecord hold, and ours are the same`)
  await checkConsistencies(directory, claims)
  passed(`${claims.consistencies.length} proofs of tlog.ProveTree hold, and ours are the same`)
}

async function checkNote(directory: string, { verifierKey, signerKey }: Claims) {
  const bytes = await fileTileSource(directory).read('checkpoint')
  const text = new TextDecoder().decode(bytes)
  const key = parseVerifierKey(verifierKey)
  invariant(formatVerifierKey(key) === verifierKey, 'a verifier key has one form')
  const { checkpoint, note } = openCheckpoint(text, [key])
  invariant(signNote(note.text, [parseSignerKey(signerKey)]) === text, 'the same note is made')
  return checkpoint
}

async function checkEntries(directory: string, size: number, root: Hash): Promise<number> {
  const source = fileTileSource(directory)
  const leaves: Hash[] = []
  for (const tile of tilesOf(size)) {
    if (tile.level > 0) continue
    const bytes = await source.read(bundlePath(tile))
    invariant(bytes !== undefined, `${bundlePath(tile)} is there`)
    leaves.push(...decodeBundle(bytes, tile.width).map(hashLeaf))
    const hashes = await source.read(tilePath(tile))
    const expected = Buffer.concat(leaves.slice(-tile.width))
    invariant(hashes !== undefined && expected.equals(hashes), `${tilePath(tile)} has its leaves`)
  }
  invariant(sameHash(frontierRoot(appendLeaves([], 0, leaves)), root), 'the entries have the root')
  return leaves.length
}

async function checkTiles(directory: string, size: number): Promise<number> {
  const readTile = readerOf(fileTileSource(directory))
  const tiles = [...tilesOf(size)]
  for (const { level, index, width } of tiles.filter((tile) => tile.level > 0)) {
    const bytes = await readTile({ level, index, width })
    for (let at = 0; at < width; at++) {
      const below = { level: level - 1, index: index * 256 + at, width: 256 }
      const own = bytes.subarray(at * 32, (at + 1) * 32)
      invariant(sameHash(hashTree(await readTile(below)), own), `${tilePath(below)} has its root`)
    }
  }
  return tiles.length
}

async function checkInclusions(directory: string, { inclusions }: Claims): Promise<void> {
  const readTile = readerOf(fileTileSource(directory))
  for (const claim of inclusions) {
    const what = `${claim.index} in ${claim.size}`
    invariant(verifyInclusion(claim), `the proof of ${what} holds`)
    const own = await proveInclusion(claim.index, claim.size, readTile)
    invariant(Bun.deepEquals(own, claim.proof), `we prove ${what} alike`)
  }
}

async function checkConsistencies(directory: string, { consistencies }: Claims): Promise<void> {
  const readTile = readerOf(fileTileSource(directory))
  for (const claim of consistencies) {
    const what = `${claim.oldSize} to ${claim.newSize}`
    invariant(verifyConsistency(claim), `the proof of ${what} holds`)
    const own = await proveConsistency(claim.oldSize, claim.newSize, readTile)
    invariant(Bun.deepEquals(own, claim.proof), `we prove ${what} alike`)
  }
}
