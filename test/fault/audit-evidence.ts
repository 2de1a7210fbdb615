// What the attacks start from: a copy of the log, and what somebody kept outside of it.
import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tileWidth } from '#core/audit/tree/tile.ts'
import { publishNote, readBundleOf, readEntries, signTree, writeLog } from './audit-forge.ts'
import { type AuditStage, type CommandEnd, ended, type LogKey } from './audit-stage.ts'
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

/** The receipt of an entry of a published log, and the record itself, as files. */
export async function takeReceipt(
  stage: AuditStage,
  {
    folder,
    index,
    size,
  }: { readonly folder: string; readonly index: number; readonly size: number },
): Promise<Evidence['receipt']> {
  const [recordFile, proofFile] = [join(stage.folder, 'record'), join(stage.folder, 'receipt')]
  const entries = await readBundleOf(folder, index, size)
  await writeFile(recordFile, entries[index % tileWidth] ?? '')
  ended(await stage.postern(['audit', 'prove', `${index}`, '--log', folder, '--out', proofFile]))
  return { recordFile, proofFile }
}
