import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { signNote } from '#core/audit/note/note.ts'
import { parseSignerKey } from '#core/audit/note/signer.ts'
import type { LogEntry, SignedTree } from '#core/audit/sequence/log-database.ts'
import { publishTiles } from '#core/audit/sequence/publish-tiles.ts'
import { openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import { appendLeaves, type Frontier, frontierRoot } from '#core/audit/tree/frontier.ts'
import { hashLeaf } from '#core/audit/tree/hash.ts'
import { silentLog } from '#core/log.ts'
import { benchRecords } from './audit-records.ts'

/**
 * Publishes a log of the bench's records in a directory, file by file as the sequencer does, only
 * without a database. Prints `{ bytes }`: those of all records together.
 *
 *   bun test/bench/audit-log-side.ts <directory> <records> <signer key>
 */
const [directory = '', records = '', signerKey = ''] = process.argv.slice(2)

/** Entries between two checkpoints: half a minute of a busy log. */
const entriesAtOnce = 65_536

const signer = parseSignerKey(signerKey)
const origin = signer.key.name
const store = await openFileTileStore(directory)
const encoder = new TextEncoder()
const log = silentLog()

let frontier: Frontier = []
let size = 0
let bytes = 0
let entries: LogEntry[] = []
for (const { rec, body: text } of benchRecords(Number(records))) {
  const body = encoder.encode(text)
  entries.push({ rec, body, leaf: hashLeaf(body) })
  bytes += body.length
  if (entries.length === entriesAtOnce) await publish()
}
if (entries.length > 0) await publish()
process.stdout.write(`${JSON.stringify({ bytes })}\n`)

async function publish(): Promise<void> {
  const [from, added] = [size, entries]
  entries = []
  frontier = appendLeaves(
    frontier,
    from,
    added.map(({ leaf }) => leaf),
  )
  size += added.length
  const tree = signedTree()
  const readEntries = (first: number, end: number) => added.slice(first - from, end - from)
  await publishTiles(from, tree, {
    database: { readEntries: async (first, end) => readEntries(first, end) },
    recent: { add: () => undefined, read: readEntries },
    store,
    log,
  })
  await store.writeOnce(`checkpoints/${size}`, encoder.encode(tree.note))
  await store.writeCheckpoint(encoder.encode(tree.note))
}

function signedTree(): SignedTree {
  const root = frontierRoot(frontier)
  return { size, root, note: signNote(formatCheckpoint({ origin, size, root }), [signer]) }
}
