// What the attacks start from: a copy of the log, and what somebody kept outside of it.
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tileWidth } from '#core/audit/tree/tile.ts'
import { publishNote, readBundleOf, readEntries, signTree, writeLog } from './audit-forge.ts'
import { type AuditStage, type CommandEnd, type LogKey, witnessName } from './audit-stage.ts'
import type { Table } from './audit-table.ts'

export type Evidence = {
  readonly stage: AuditStage
  readonly table: Table
  /** A copy of the published log, left as it is. */
  readonly copy: string
  readonly size: number
  /** The entry that is attacked: an accepted job's. */
  readonly target: number
  /** One whose process said that everything up to it is settled. */
  readonly settled: number
  /** Checkpoints with their cosignatures that somebody kept outside: one of before, the newest. */
  readonly before: { readonly file: string; readonly size: number }
  readonly newestFile: string
  /** Of an entry, taken before the attacks. */
  readonly receipt: { readonly recordFile: string; readonly proofFile: string }
}

type Options = { readonly keys?: string; readonly more?: readonly string[] }

export function verify(
  { stage }: Pick<Evidence, 'stage'>,
  folder: string,
  { keys = stage.keysFile, more = [] }: Options = {},
): Promise<CommandEnd> {
  return stage.postern(['audit', 'verify', '--log', folder, '--vkey', keys, ...more])
}

/** Attacks a copy, which is gone afterwards. */
export async function onCopy(
  { stage, copy }: Evidence,
  attack: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = join(stage.folder, 'attacked')
  await cp(copy, folder, { recursive: true })
  await attack(folder)
  await rm(folder, { recursive: true, force: true })
}

/** The same record of another outcome: still canonical, still of its form. */
export function falsified(entry: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(entry)
  const changed = text.replace('"outcome":"ok"', '"outcome":"failed"')
  if (changed === text) throw new Error('the attacked record has another outcome')
  return new TextEncoder().encode(changed)
}

export async function* falsifiedLog({ copy, size, target }: Evidence): AsyncGenerator<Uint8Array> {
  let index = 0
  for await (const entry of readEntries(copy, size)) {
    yield index === target ? falsified(entry) : entry
    index++
  }
}

/** A whole log of these entries, signed and published. */
export async function rewrite(folder: string, entries: AsyncIterable<Uint8Array>, key: LogKey) {
  const tree = await writeLog(folder, entries)
  const note = signTree(tree, key)
  return { ...tree, note, file: await publishNote(folder, tree.size, note) }
}

/** Receipts of a log that grows meanwhile; what is read may be replaced by its full tile. */
const receiptsMin = 5
const receiptsMax = 50

/** The receipt of an entry of the log that is being written, and the record itself, as files. */
export async function takeReceipt(
  { stage, table }: Pick<Evidence, 'stage' | 'table'>,
  index: number,
  size: number,
): Promise<Evidence['receipt']> {
  const [recordFile, proofFile] = [join(stage.folder, 'record'), join(stage.folder, 'receipt')]
  const entries = await readBundleOf(stage.store, index, size)
  await writeFile(recordFile, entries[index % tileWidth] ?? '')
  const prove = ['audit', 'prove', `${index}`, '--log', stage.store, '--out', proofFile]
  let failed: CommandEnd | undefined
  let isCosigned = false
  for (let taken = 0; taken < receiptsMin || !isCosigned; taken++) {
    if (taken === receiptsMax) throw new Error('no receipt with a cosignature')
    const end = await stage.postern(prove)
    if (end.code !== 0) failed = end
    else isCosigned = (await readFile(proofFile, 'utf8')).includes(witnessName)
  }
  const good = { code: 0, out: 'receipts were made', err: '' }
  table.command('none: receipts while the log grows', 0, /made/, failed ?? good)
  return { recordFile, proofFile }
}
