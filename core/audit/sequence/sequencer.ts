import type { Log } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import type { NoteSigner } from '../note/signer.ts'
import { type Flight, land, launch } from './append-flights.ts'
import { type BatchReader, batchReader } from './batch-reader.ts'
import type { LogDatabase, LogGrowth, LogHead, SequencedEntry, SignedTree } from './log-database.ts'

/** Between two signs of life of an idle leader, well within its lease. */
const renewMs = 1_500

export type SequencerOptions = {
  readonly database: LogDatabase
  /** A UUID of this process's own. */
  readonly owner: string
  readonly origin: string
  /** Each signs every checkpoint; asked at each batch, so that a key is replaced between two. */
  readonly signers: () => readonly NoteSigner[]
  /** Throws `SequencerRefusal` where the outside knows better, anything else where it cannot tell. */
  readonly inspect: (head: LogHead) => Promise<void>
  readonly log: Log
  readonly metrics: Metrics
  /** Never goes back. */
  readonly nowMs: () => number
}

export type Turn =
  | { readonly kind: 'following' | 'idle' | 'frozen' }
  | {
      readonly kind: 'appended'
      readonly oldSize: number
      readonly entries: readonly SequencedEntry[]
      readonly tree: SignedTree
      /** The intake was not empty afterwards. */
      readonly isMore: boolean
    }

export type Sequencer = {
  /**
   * One turn: takes the lead where nobody has it, or gives the waiting records their places. One at
   * a time. After a throw the next turn takes a new epoch and looks what is stored. Throws
   * `SequencerRefusal` where it must not sign.
   */
  turn(): Promise<Turn>
  /** As it was after the last turn; undefined while another leads. */
  head(): LogHead | undefined
  /** Lets another lead at once. */
  release(): Promise<void>
}

type Leadership = {
  head: LogHead
  readonly reader: BatchReader
  flight: Flight | undefined
  renewedAt: number
}

/**
 * The one who gives records their places in the log, signs and commits. Several may run: one is
 * effective, held to it by the comparison of size and epoch in the transaction itself.
 */
export function createSequencer(options: SequencerOptions): Sequencer {
  const { database, origin, signers, log, metrics, nowMs } = options
  let leadership: Leadership | undefined

  function forget(): void {
    leadership = undefined
    metrics.auditLeader.set(0)
  }

  async function takeLead(): Promise<Leadership | undefined> {
    const head = await takeHead(options)
    if (head === undefined) return undefined
    metrics.auditLeader.set(1)
    metrics.auditLogSize.set(head.size)
    log.info('audit.leading', { size: head.size, epoch: head.epoch })
    const reader = batchReader(database, nowMs)
    return { head, reader, flight: undefined, renewedAt: nowMs() }
  }

  async function rest(leading: Leadership): Promise<Turn> {
    if (nowMs() - leading.renewedAt >= renewMs) {
      if (!(await database.renew(leading.head.epoch))) return { kind: 'following' }
      leading.renewedAt = nowMs()
    }
    return { kind: leading.head.frozenAt === undefined ? 'idle' : 'frozen' }
  }

  async function work(leading: Leadership): Promise<Turn> {
    const { head, reader } = leading
    if (head.frozenAt !== undefined) return await rest(leading)
    const flying = { database, reader, origin, signers: signers() }
    const batch = leading.flight === undefined ? await reader.first() : undefined
    const flight = batch === undefined ? leading.flight : launch(head, batch, flying)
    if (flight === undefined) return await rest(leading)
    const landed = await land(flight, flying)
    if (landed === undefined) return { kind: 'following' }
    const { oldSize, entries, frontier, root, tree } = landed.growth
    leading.flight = landed.next
    leading.renewedAt = nowMs()
    leading.head = { ...head, size: oldSize + entries.length, frontier, root }
    reader.passed(flight.batch)
    reportGrowth(landed.growth, options)
    if (tree === undefined) return { kind: 'idle' }
    return { kind: 'appended', oldSize, entries, tree, isMore: flight.batch.isMore }
  }

  return {
    async turn() {
      try {
        leadership ??= await takeLead()
        const turn: Turn = leadership === undefined ? { kind: 'following' } : await work(leadership)
        if (turn.kind === 'following') forget()
        return turn
      } catch (error) {
        // What is stored is unknown now: it is looked at under a new epoch.
        forget()
        throw error
      }
    },
    head: () => leadership?.head,
    async release() {
      const epoch = leadership?.head.epoch
      forget()
      if (epoch !== undefined) await database.release(epoch)
    },
  }
}

async function takeHead({
  database,
  owner,
  inspect,
}: SequencerOptions): Promise<LogHead | undefined> {
  const head = await database.lead(owner)
  if (head === undefined) return undefined
  try {
    await inspect(head)
    return head
  } catch (error) {
    // What differs may be what another leader has added since.
    if (!(await database.renew(head.epoch))) return undefined
    // Whoever can reach what we cannot may lead.
    await database.release(head.epoch)
    throw error
  }
}

function reportGrowth(
  { oldSize, entries, conflicting }: LogGrowth,
  { log, metrics }: SequencerOptions,
): void {
  metrics.auditLogSize.set(oldSize + entries.length)
  for (const { rec } of conflicting) log.error('audit.conflict', { rec })
  if (conflicting.length > 0) metrics.auditConflicts.inc(conflicting.length)
}
