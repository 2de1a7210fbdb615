// What can be done with the log's own key: only what was kept outside of the log shows it.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publishedTiles } from '#core/audit/read/make-receipt.ts'
import { fileTileSource } from '#core/audit/store/file-tile-store.ts'
import { tileWidth } from '#core/audit/tree/tile.ts'
import { proveConsistency } from '#core/audit/tree/tile-proof.ts'
import { formatAddCheckpoint } from '#core/audit/witness/add-checkpoint.ts'
import { type Evidence, falsifiedLog, onCopy, rewrite, verify } from './audit-evidence.ts'
import { readBundleOf, readEntries } from './audit-forge.ts'
import type { AuditStage } from './audit-stage.ts'

export async function forgeLog(evidence: Evidence): Promise<void> {
  await rewriteWithKey(evidence)
  await forkWithKey(evidence)
  await suppressRecords(evidence)
}

async function rewriteWithKey(evidence: Evidence): Promise<void> {
  const { stage, table, size, target, before, receipt } = evidence
  const attack = 'history rewritten, signed with the log’s key'
  const falsifiedFile = join(stage.folder, 'falsified.json')
  await onCopy(evidence, async (folder) => {
    const forged = await rewrite(folder, falsifiedLog(evidence), stage.newKey)
    const strict = await verify(evidence, folder, { more: ['--strict'] })
    table.command(`${attack}: nothing to hold against it`, 0, /^verdict +ok/m, strict)
    const policy = await verify(evidence, folder, { more: ['--policy', stage.policyFile] })
    table.command(`${attack}: no witness cosigned it`, 6, /quorum is not reached/, policy)
    const known = await verify(evidence, folder, { more: ['--last-known', before.file] })
    table.command(`${attack}: an older checkpoint was kept`, 2, /does not begin with/, known)
    const same = await askWitness(stage, { oldSize: size, proof: [], note: forged.note })
    table.answer(`${attack}: the witness is asked`, '422', `${same.status}`, same.reason)
    const anew = await askWitness(stage, { oldSize: 0, proof: [], note: forged.note })
    table.answer(`${attack}: the witness is asked anew`, '409', `${anew.status}`, anew.reason)

    const { recordFile, proofFile } = receipt
    const trust = ['--vkey', stage.keysFile, '--policy', stage.policyFile]
    const check = (file: string) => stage.postern(['audit', 'check', file, proofFile, ...trust])
    table.command('a receipt of before, with its record', 0, /^ok: entry/, await check(recordFile))
    const entries = await readBundleOf(folder, target, size)
    await writeFile(falsifiedFile, entries[target % tileWidth] ?? '')
    const falsifiedEnd = await check(falsifiedFile)
    table.command(`${attack}: a receipt of before`, 2, /is not this record/, falsifiedEnd)
    const noteFile = await checkpointOf(stage, proofFile)
    const compared = await consistency(stage, folder, [noteFile])
    table.command(`${attack}: the receipt’s checkpoint`, 2, /^fork: /, compared)
  })
  await onCopy(evidence, async (folder) => {
    const compared = await consistency(stage, folder, [before.file])
    table.command('not rewritten: an older checkpoint', 0, /^ok: /, compared)
  })
}

/** The checkpoint inside a receipt is a signed statement of its own. */
async function checkpointOf(stage: AuditStage, proofFile: string): Promise<string> {
  const text = await readFile(proofFile, 'utf8')
  const file = join(stage.folder, 'receipt.checkpoint')
  await writeFile(file, text.slice(text.indexOf('\n\n') + 2))
  return file
}

function consistency(stage: AuditStage, folder: string, files: readonly string[]) {
  const trust = ['--log', folder, '--vkey', stage.keysFile]
  return stage.postern(['audit', 'consistency', ...files, ...trust])
}

async function askWitness(
  { witnessUrl }: AuditStage,
  request: Parameters<typeof formatAddCheckpoint>[0],
): Promise<{ readonly status: number; readonly reason: string }> {
  const body = formatAddCheckpoint(request)
  const answer = await fetch(`${witnessUrl}/add-checkpoint`, { method: 'POST', body })
  return { status: answer.status, reason: (await answer.text()).trim() }
}

/** Two histories that part near the end, both signed. */
async function forkWithKey(evidence: Evidence): Promise<void> {
  const { stage, table, copy, size, newestFile } = evidence
  async function* forked(): AsyncGenerator<Uint8Array> {
    let index = 0
    for await (const entry of readEntries(copy, size)) {
      yield index === size - 1 ? renumbered(entry, 8) : entry
      index++
      if (index === size) yield renumbered(entry, 9)
    }
  }
  await onCopy(evidence, async (folder) => {
    const fork = await rewrite(folder, forked(), stage.newKey)
    const attack = 'forked: two trees signed with the log’s key'
    const both = await consistency(stage, folder, [newestFile, fork.file])
    table.command(`${attack}, held against each other`, 2, /^fork: /, both)
    const known = await verify(evidence, folder, { more: ['--last-known', newestFile] })
    table.command(`${attack}, one was kept`, 2, /does not begin with/, known)
    const tiles = publishedTiles(fileTileSource(folder))
    const proof = await proveConsistency(size, fork.size, tiles)
    const asked = await askWitness(stage, { oldSize: size, proof, note: fork.note })
    table.answer(`${attack}, the witness saw one`, '422', `${asked.status}`, asked.reason)
  })
}

function renumbered(entry: Uint8Array, digit: number): Uint8Array {
  const text = new TextDecoder().decode(entry)
  return new TextEncoder().encode(text.replace(/"rseq":\d+/, `"rseq":${digit}000000`))
}

/** What no tree shows: a record that was left out before anything was signed. */
async function suppressRecords(evidence: Evidence): Promise<void> {
  const { stage, table, copy, size, settled } = evidence
  async function* times(count: number): AsyncGenerator<Uint8Array> {
    let index = 0
    for await (const entry of readEntries(copy, size)) {
      if (index !== settled) yield entry
      else for (let again = 0; again < count; again++) yield entry
      index++
    }
  }
  const gaps = (folder: string) =>
    stage.postern(['audit', 'gaps', '--log', folder, '--vkey', stage.keysFile])
  await onCopy(evidence, async (folder) => {
    await rewrite(folder, times(0), stage.newKey)
    const strict = await verify(evidence, folder, { more: ['--strict'] })
    table.command('a record left out before it was signed', 5, /^gap .*1 record never/m, strict)
    table.command('the same, asked for gaps', 5, /1 record never/, await gaps(folder))
  })
  await onCopy(evidence, async (folder) => {
    await rewrite(folder, times(2), stage.newKey)
    const strict = await verify(evidence, folder, { more: ['--strict'] })
    table.command('a record taken in twice', 2, /^integrity .*has .* of entry/m, strict)
  })
}
