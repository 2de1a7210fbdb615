import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { openCheckpoint } from '#core/audit/note/checkpoint.ts'
import { NoteError } from '#core/audit/note/note-error.ts'
import { parseReceipt, verifyReceipt } from '#core/audit/note/receipt.ts'
import { makeReceipt, publishedTiles, readCheckpoint } from '#core/audit/read/make-receipt.ts'
import { SourceUnreachable } from '#core/audit/store/tile-source.ts'
import { verifyConsistency } from '#core/audit/tree/proof.ts'
import { proveConsistency } from '#core/audit/tree/tile-proof.ts'
import { findingExits } from '#core/audit/verify/findings.ts'
import {
  asUsage,
  openSource,
  readKeys,
  readPolicyFile,
  readText,
  type SourceOptions,
  UsageError,
  wholeNumber,
  withLog,
  withTrust,
} from './audit-source.ts'
import type { CommandIo } from './command-io.ts'
import { examples } from './manual.ts'

type Io = Pick<CommandIo, 'stdout' | 'stderr'>

export function auditProveCommand(io: Io): Command {
  const command = new Command('prove')
    .summary('make the receipt (.tlog-proof) of an entry, under the newest checkpoint')
    .description(
      `Exits with 6 when the published tree does not reach the entry, or cannot be read.`,
    )
    .argument('<index>', 'of the entry', wholeNumber)
    .option('--out <file>', 'write it there instead of printing it')
  return withLog(command)
    .addHelpText('after', examples('postern audit prove 4711 --log ./audit --out 4711.tlog-proof'))
    .action((index: number, options: SourceOptions & { readonly out?: string }, own: Command) =>
      asUsage(own, async () => {
        const source = await openSource(options)
        const receipt = await tellable(io, () => makeReceipt(source, index))
        if (receipt === undefined)
          return cannotTell(io, `entry ${index} is not in a published tree`)
        if (options.out === undefined) io.stdout.write(receipt)
        else await writeFile(options.out, receipt)
      }),
    )
}

type CheckOptions = Pick<SourceOptions, 'vkey' | 'policy'>

export function auditCheckCommand(io: Io): Command {
  return withTrust(new Command('check'))
    .summary('check a receipt against a record, without the log')
    .description(
      `Exits with 2 when the record is not the one the receipt is for, or a signature is wrong.`,
    )
    .argument('<record>', 'file with the bytes of the record')
    .argument('<proof>', 'file with its .tlog-proof')
    .addHelpText(
      'after',
      examples(
        'postern audit check order.json order.tlog-proof --vkey log.vkey --policy policy.txt',
      ),
    )
    .action((record: string, proof: string, options: CheckOptions, own: Command) =>
      asUsage(own, async () => {
        const logKeys = await readKeys(options.vkey ?? [])
        const policy = await readPolicyFile(options.policy)
        // An editor's last newline is not part of a record, which holds none.
        const bytes = new TextEncoder().encode((await readText(record)).replace(/\n$/, ''))
        const text = await readText(proof)
        refusable(io, () => {
          const receipt = parseReceipt(text)
          const { origin, size } = verifyReceipt(receipt, bytes, { logKeys, policy })
          io.stdout.write(`ok: entry ${receipt.index} of ${origin}, in the tree of ${size}\n`)
        })
      }),
    )
}

export function auditConsistencyCommand(io: Io): Command {
  const command = new Command('consistency')
    .summary('show that one checkpoint is the beginning of another')
    .description(`Exits with 2 when they are two histories, with 3 when the newer one is shorter.`)
    .argument('<older>', 'file with a signed checkpoint')
    .argument('[newer]', 'file with another; the published one unless given')
  return withTrust(withLog(command))
    .addHelpText(
      'after',
      examples(
        'postern audit consistency yesterday.checkpoint today.checkpoint --log ./audit --vkey log.vkey',
      ),
    )
    .action((older: string, newer: string | undefined, options: SourceOptions, own: Command) =>
      asUsage(own, async () => await compare(io, { older, newer, options })),
    )
}

async function compare(
  io: Io,
  asked: {
    readonly older: string
    readonly newer: string | undefined
    readonly options: SourceOptions
  },
): Promise<void> {
  const { options } = asked
  const logKeys = await readKeys(options.vkey ?? [])
  const source = await openSource(options)
  const older = await readText(asked.older)
  const newer =
    asked.newer === undefined
      ? (await tellable(io, () => readCheckpoint(source)))?.note
      : await readText(asked.newer)
  if (newer === undefined) return cannotTell(io, 'no checkpoint is published')
  const opened = refusable(io, () => [
    openCheckpoint(older, logKeys).checkpoint,
    openCheckpoint(newer, logKeys).checkpoint,
  ])
  const [first, second] = opened ?? []
  if (first === undefined || second === undefined) return
  if (first.size > second.size) {
    io.stderr.write(`rollback: ${second.size} entries, and there were ${first.size}\n`)
    process.exitCode = findingExits.rollback
    return
  }
  const proof = await tellable(io, () =>
    proveConsistency(first.size, second.size, publishedTiles(source)),
  )
  if (proof === undefined) return
  const claim = { oldSize: first.size, oldRoot: first.root, newSize: second.size, proof }
  if (verifyConsistency({ ...claim, newRoot: second.root })) {
    io.stdout.write(`ok: the first ${first.size} of ${second.size} entries are the same\n`)
    return
  }
  io.stderr.write(
    `fork: the tree of ${first.size} is not the beginning of that of ${second.size}\n`,
  )
  process.exitCode = findingExits.integrity
}

/** Undefined, and exit 6, where the source cannot be read. */
async function tellable<Result>(io: Io, act: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof NoteError) throw new UsageError(error.message, { cause: error })
    if (!(error instanceof SourceUnreachable)) throw error
    cannotTell(io, error.message)
    return undefined
  }
}

function cannotTell({ stderr }: Io, why: string): void {
  if (process.exitCode === undefined) stderr.write(`cannot tell: ${why}\n`)
  process.exitCode = findingExits.unknown
}

/** Undefined, and exit 2, for what a note, a signature or a proof is refused for. */
function refusable<Result>({ stderr }: Io, act: () => Result): Result | undefined {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof NoteError)) throw error
    stderr.write(`refused: ${error.message}\n`)
    process.exitCode = findingExits.integrity
    return undefined
  }
}
