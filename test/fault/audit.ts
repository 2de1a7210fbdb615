// The audit log under attack: eight writers killed and stopped under load, the sequencer too, its key
// replaced; then everything that can be done to the log. Nothing may pass, and nothing may alarm
// where nothing was done.
//
//   bun test/fault/audit.ts [--records 50000] [--seed 1]
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openCheckpoint } from '#core/audit/note/checkpoint.ts'
import { parseVerifierKey } from '#core/audit/note/verifier-key.ts'
import { tileWidth } from '#core/audit/tree/tile.ts'
import { randomNumbers } from '#test/score/synthetic-wallets.ts'
import { attackFiles } from './audit-attacks.ts'
import { type Backup, backUp, restoreBackup } from './audit-backup.ts'
import { type Evidence, takeReceipt, verify } from './audit-evidence.ts'
import { readBundleOf } from './audit-forge.ts'
import { forgeLog } from './audit-forgeries.ts'
import { logSize, startLoad } from './audit-load.ts'
import { judgeCensus, takeCensus } from './audit-promises.ts'
import { type AuditStage, openAuditStage, type Side, until, witnessName } from './audit-stage.ts'
import { openTable } from './audit-table.ts'
import { say } from './stage.ts'

/** Milliseconds: a lease of 5 s, and 30 s until Postgres ends a transaction that was stopped midway. */
const leadMsMax = 60_000
const publishMsMax = 60_000
const stoppedMs = 10_000
/** Seconds; every process writes a sign of life every 30. */
const aliveSeconds = 60
const frozenSeconds = 3

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '50000' },
    seed: { type: 'string', default: '1' },
  },
})
const records = Number(values.records)
const seed = Number(values.seed)
const problems: string[] = []
const table = openTable()
const startedAt = performance.now()
say(`records ${records}, seed ${seed}`)
const stage = await openAuditStage()
try {
  await main()
} finally {
  await stage.close()
  say('')
  table.print()
}
for (const problem of problems) say(`VIOLATED: ${problem}`)
const wrong = problems.length + table.differing()
say(wrong === 0 ? 'Every attack was caught, and nothing else.' : `${wrong} things are wrong.`)
process.exit(wrong === 0 ? 0 : 1)

async function main(): Promise<void> {
  const made = await makeLog()
  const copy = join(stage.folder, 'elsewhere', 'copied')
  await cp(stage.store, copy, { recursive: true })
  const newestFile = join(copy, 'checkpoint')
  const size = await checkpointSize(newestFile)
  tell(`copied ${size} entries to another folder`)
  await judgeClean({ copy, before: made.before.file })
  const census = await takeCensus(copy, size)
  const { said, broken } = await judgeCensus(stage, census, made.acknowledged)
  problems.push(...broken)
  const mean = Math.round(census.bytes / census.entries)
  tell(`${said}; ${mean} bytes a record; ${JSON.stringify(Object.fromEntries(census.types))}`)
  if (census.settledIndex === undefined) throw new Error('no process has settled anything')
  const evidence = { stage, table, copy, size, settled: census.settledIndex, newestFile, ...made }
  await attackFiles(evidence)
  await forgeLog(evidence)
  tell('files attacked')
  await restoreBackup({
    ...evidence,
    verify: (folder, more) => verify({ stage }, folder, { more }),
  })
}

type Made = Pick<Evidence, 'target' | 'before' | 'receipt'> & {
  readonly acknowledged: Parameters<typeof judgeCensus>[2]
  readonly backup: Backup
}

/** The log, with everything that a rough day brings and that must not alarm. */
async function makeLog(): Promise<Made> {
  const { oldKey, newKey } = stage
  const sequencers: Side[] = []
  const sequence = async (keys: AuditStage['oldKey'][]) => {
    const side = await stage.sequence({ keys })
    sequencers.push(side)
    return side
  }
  let sequencer = await sequence([oldKey])
  const load = await startLoad(stage, { records, seed })
  await load.reached(records * 0.2)
  await sequencer.kill()
  sequencer = await sequence([oldKey])
  tell('kill -9 of the sequencer')
  await load.reached(records * 0.4)
  const before = await keepCheckpoint('before', records * 0.3)
  const target = await findTarget(before.size)
  const receipt = await takeReceipt({ stage, table }, target, before.size)
  const backup = await backUp(stage)
  tell(`backup of the database at ${backup.size} entries`)
  await load.reached(records * 0.5)
  await sequencer.stop()
  sequencer = await sequence([oldKey, newKey])
  tell('signing with the old key and the new one')
  await load.reached(records * 0.6)
  sequencer = await twoLeaders(sequencer, () => sequence([oldKey, newKey]))
  await load.reached(records * 0.8)
  await sequencer.kill()
  sequencer = await sequence([newKey])
  tell('signing with the new key alone')
  await load.reached(records)
  const live = ['--policy', stage.policyFile, '--max-age', `${aliveSeconds}`]
  const end = await verify({ stage }, stage.store, { more: live })
  table.command('none: the log is written while it is read', 0, /alive within/, end)
  tell(await load.end())
  await until('every record has its place and is published', publishMsMax, isAllPublished)
  await sequencer.stop()
  await judgeFreeze()
  for (const side of sequencers) noAlarm(await side.logged())
  return { target, before, receipt, acknowledged: load.acknowledged, backup }
}

/** The leader is stopped, another takes over, and the first one wakes and knows nothing of it. */
async function twoLeaders(first: Side, start: () => Promise<Side>): Promise<Side> {
  const kept = await keepCheckpoint('leader', records * 0.5)
  const second = await start()
  await until('the first leads', leadMsMax, () => isLeader(first))
  first.signal('SIGSTOP')
  const stoppedAt = performance.now()
  await until('the second leads', leadMsMax, () => isLeader(second))
  const overMs = performance.now() - stoppedAt
  await Bun.sleep(stoppedMs - overMs)
  first.signal('SIGCONT')
  await until('the first follows', leadMsMax, async () => !(await isLeader(first)))
  const size = await logSize(stage)
  await until('the log goes on', leadMsMax, async () => (await logSize(stage)) > size)
  const more = ['--last-known', kept.file, '--policy', stage.policyFile]
  const end = await verify({ stage }, stage.store, { more })
  table.command(
    'none: two leaders, one stopped for 10 s or more',
    0,
    /begins with the last known/,
    end,
  )
  await first.stop()
  tell(`two leaders: the second took over after ${(overMs / 1_000).toFixed(1)} s`)
  return second
}

async function isLeader({ url }: Side): Promise<boolean> {
  const text = await fetch(`${url}/metrics`).then((answer) => answer.text())
  return /^postern_audit_leader 1$/m.test(text)
}

/** The published checkpoint of so many entries at least, cosigned, as somebody outside would keep it. */
async function keepCheckpoint(
  name: string,
  sizeMin: number,
): Promise<{ readonly file: string; readonly size: number }> {
  const file = join(stage.folder, `${name}.checkpoint`)
  await until('a cosigned checkpoint is published', publishMsMax, async () => {
    const note = await readFile(join(stage.store, 'checkpoint'), 'utf8').catch(() => '')
    if (!note.includes(witnessName)) return false
    await writeFile(file, note)
    return (await checkpointSize(file)) >= sizeMin
  })
  return { file, size: await checkpointSize(file) }
}

async function checkpointSize(file: string): Promise<number> {
  const keys = [stage.oldKey, stage.newKey].map((key) => parseVerifierKey(key.verifierKey))
  return openCheckpoint(await readFile(file, 'utf8'), keys).checkpoint.size
}

/** An accepted job's record among the full bundles. */
async function findTarget(size: number): Promise<number> {
  const random = randomNumbers(seed)
  const decoder = new TextDecoder()
  for (;;) {
    const bundle = Math.floor(random() * Math.floor(size / tileWidth))
    const entries = await readBundleOf(stage.store, bundle * tileWidth, size)
    const at = entries.findIndex((entry) => {
      const text = decoder.decode(entry)
      return text.includes('"type":"job.accepted"') && text.includes('"outcome":"ok"')
    })
    if (at >= 0) return bundle * tileWidth + at
  }
}

async function isAllPublished(): Promise<boolean> {
  const [row] = await stage.sql<{ done: boolean }[]>`
    select not exists (select from postern_audit_intake) and witnessed_at is not null as done
    from postern_audit_checkpoint order by size desc limit 1`
  return row?.done === true
}

/** The sequencer is gone: what is served stays what it was. */
async function judgeFreeze(): Promise<void> {
  await Bun.sleep(frozenSeconds * 1_000)
  const ask = async (seconds: number) =>
    await verify({ stage }, stage.store, {
      more: ['--policy', stage.policyFile, '--max-age', `${seconds - 1}`],
    })
  const says = /^stale .*frozen/m
  table.command('the log frozen', 4, says, await ask(frozenSeconds))
}

function noAlarm(logged: string): void {
  for (const line of logged.split('\n').slice(0, 5)) {
    if (line !== '') problems.push(`a sequencer alarmed: ${line}`)
  }
}

async function judgeClean({ copy, before }: { readonly copy: string; readonly before: string }) {
  const all = ['--strict', '--policy', stage.policyFile, '--last-known', before]
  const strict = await verify({ stage }, copy, { more: all })
  table.command('none: copied, verified strictly', 0, /^verdict +ok/m, strict)
  const log = ['--log', copy, '--vkey']
  const gaps = await stage.postern(['audit', 'gaps', ...log, stage.keysFile])
  table.command('none: asked for gaps', 0, /^no gaps/m, gaps)
  const newKey = await verify({ stage }, copy, { keys: stage.newKey.verifierKey })
  table.command('none: only the new key is known', 0, /^verdict +ok/m, newKey)
  const oldKey = await verify({ stage }, copy, { keys: stage.oldKey.verifierKey })
  table.command('signed by a key that nobody handed out', 2, /^integrity .*signature/m, oldKey)
}

function tell(line: string): void {
  say(`[${((performance.now() - startedAt) / 1_000).toFixed(0)} s] ${line}`)
}
