// Each attack on the published files, made on a fresh copy and judged by the command's exit code.
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tileWidth } from '#core/audit/tree/tile.ts'
import {
  type Evidence,
  falsified,
  falsifiedLog,
  onCopy,
  rewrite,
  verify,
} from './audit-evidence.ts'
import {
  filesOf,
  publishNote,
  readBundleOf,
  readEntries,
  replaceBundle,
  writeLog,
} from './audit-forge.ts'
import type { AuditStage } from './audit-stage.ts'

export async function attackFiles(evidence: Evidence): Promise<void> {
  await editEntries(evidence)
  await damageFiles(evidence)
  await cutTail(evidence)
  await rewriteWithoutKey(evidence)
}

async function editEntries(evidence: Evidence): Promise<void> {
  const { table, size, target, copy } = evidence
  const at = target % tileWidth
  const firstBad = new RegExp(`^first bad +entry ${target}$`, 'm')
  await onCopy(evidence, async (folder) => {
    const entries = await readBundleOf(folder, target, size)
    const edited = entries.map((entry, index) => (index === at ? falsified(entry) : entry))
    await replaceBundle(filesOf(folder, target, size).bundle, edited)
    table.command('a field of an entry edited', 2, firstBad, await verify(evidence, folder))
  })
  await onCopy(evidence, async (folder) => {
    const note = await readFile(join(copy, 'checkpoint'), 'utf8')
    await writeLog(folder, falsifiedLog(evidence))
    await publishNote(folder, size, note)
    const end = await verify(evidence, folder)
    table.command('the same, all hashes reckoned anew', 2, /^integrity .*root/m, end)
  })
  await onCopy(evidence, async (folder) => {
    const entries = await readBundleOf(folder, target, size)
    const other = at === 0 ? 1 : at - 1
    const swapped = entries.map((entry, index) => {
      if (index === at) return entries[other] ?? entry
      return index === other ? (entries[at] ?? entry) : entry
    })
    await replaceBundle(filesOf(folder, target, size).bundle, swapped)
    const first = target - at + Math.min(at, other)
    const says = new RegExp(`^first bad +entry ${first}$`, 'm')
    table.command('two entries swapped', 2, says, await verify(evidence, folder))
  })
}

async function damageFiles(evidence: Evidence): Promise<void> {
  const { table, size, target } = evidence
  const start = target - (target % tileWidth)
  const firstBad = new RegExp(`^first bad +entry ${start}$`, 'm')
  const damages = [
    ['a file of entries emptied', 2, firstBad, 'bundle', ''],
    ['a file of hashes emptied', 2, firstBad, 'hashes', ''],
    ['a file of entries deleted', 6, /^unknown .*is not there/m, 'bundle', undefined],
  ] as const
  for (const [attack, exit, says, which, bytes] of damages) {
    await onCopy(evidence, async (folder) => {
      const file = filesOf(folder, target, size)[which]
      if (bytes === undefined) await rm(file)
      else await writeFile(file, bytes)
      table.command(attack, exit, says, await verify(evidence, folder))
    })
  }
  await onCopy(evidence, async (folder) => {
    await writeFile(join(folder, 'checkpoint'), '')
    const end = await verify(evidence, folder)
    table.command('the checkpoint emptied', 2, /^integrity .*note/m, end)
  })
}

async function cutTail(evidence: Evidence): Promise<void> {
  const { stage, table, size, copy, before, newestFile } = evidence
  await onCopy(evidence, async (folder) => {
    const files = filesOf(folder, size - 1, size)
    await Promise.all([rm(files.bundle), rm(files.hashes)])
    const says = /^unknown .*is not there/m
    table.command('the newest tiles deleted', 6, says, await verify(evidence, folder))
  })
  await onCopy(evidence, async (folder) => {
    await cp(before.file, join(folder, 'checkpoint'))
    const end = await verify(evidence, folder)
    table.command('an older checkpoint put back', 3, /^rollback .*was published/m, end)
  })
  await onCopy(evidence, async (folder) => {
    await writeLog(folder, readEntries(copy, before.size))
    await publishNote(folder, before.size, await readFile(before.file, 'utf8'))
    const attack = 'all behind an older checkpoint deleted'
    const says = new RegExp(`^rollback .*${before.size} entries and had ${size}`, 'm')
    const known = ['--last-known', newestFile]
    const plain = await verify(evidence, folder, { more: ['--policy', stage.policyFile] })
    table.command(`${attack}: nothing to hold against it`, 0, /^verdict +ok/m, plain)
    const kept = await verify(evidence, folder, { more: known })
    table.command(`${attack}: a newer checkpoint was kept`, 3, says, kept)
    const witnessed = ['--last-known', await witnessedFile(stage)]
    const seen = await verify(evidence, folder, { more: witnessed })
    table.command(`${attack}: the witness has a newer one`, 3, says, seen)
  })
}

/** What the witness cosigned last, as anybody may ask it. */
async function witnessedFile(stage: AuditStage): Promise<string> {
  const note = await readFile(join(stage.store, 'checkpoint'), 'utf8')
  const [origin = ''] = note.split('\n')
  const hash = new Bun.CryptoHasher('sha256').update(origin).digest('hex')
  const answer = await fetch(`${stage.witnessUrl}/${hash}/checkpoint`)
  const file = join(stage.folder, 'witnessed.checkpoint')
  await writeFile(file, await answer.text())
  return file
}

async function rewriteWithoutKey(evidence: Evidence): Promise<void> {
  const { stage, table } = evidence
  await onCopy(evidence, async (folder) => {
    await rewrite(folder, falsifiedLog(evidence), stage.strangerKey)
    const end = await verify(evidence, folder)
    table.command('history rewritten, signed with another key', 2, /^integrity .*signature/m, end)
  })
}
