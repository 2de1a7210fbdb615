import { parseCheckpoint } from '#core/audit/note/checkpoint.ts'
import { parseNote } from '#core/audit/note/note.ts'
import type {
  IntakeRow,
  LogDatabase,
  LogEntry,
  LogGrowth,
  LogHead,
  SignedTree,
} from '#core/audit/sequence/log-database.ts'
import { emptyRoot } from '#core/audit/tree/hash.ts'
import { memoryTileStore } from './memory-tile-store.ts'

/** Rows of one read: few, so that there is mostly more and one append follows the other. */
const readMax = 7
/** Milliseconds, as long as the lease in Postgres. */
const leaseMs = 5_000

type DatabaseState = {
  readonly intake: readonly IntakeRow[]
  readonly nextId: number
  readonly entries: readonly LogEntry[]
  readonly trees: readonly SignedTree[]
  readonly aside: readonly IntakeRow[]
  readonly head: LogHead
  readonly owner: string | undefined
  readonly ledUntilMs: number
}

/**
 * A database and a store that survive whoever uses them. Each call is atomic; what happens before,
 * between and after calls is the runner's business.
 */
export function simulatedWorld() {
  let state: DatabaseState = {
    intake: [],
    nextId: 1,
    entries: [],
    trees: [],
    aside: [],
    head: { size: 0, root: emptyRoot, frontier: [], epoch: 0, frozenAt: undefined },
    owner: undefined,
    ledUntilMs: Number.NEGATIVE_INFINITY,
  }
  const { store, objects } = memoryTileStore(refuseUncommitted)
  const clock = { nowMs: 0 }

  const database: LogDatabase = {
    async lead(owner) {
      if (state.owner !== owner && state.ledUntilMs > clock.nowMs) return undefined
      const head = { ...state.head, epoch: state.head.epoch + 1 }
      state = { ...state, head, owner, ledUntilMs: clock.nowMs + leaseMs }
      return head
    },
    async renew(epoch) {
      if (state.head.epoch !== epoch) return false
      state = { ...state, ledUntilMs: clock.nowMs + leaseMs }
      return true
    },
    async release(epoch) {
      if (state.head.epoch === epoch) state = { ...state, ledUntilMs: clock.nowMs }
    },
    async readIntake({ after, limit }) {
      const waiting = state.intake.filter((row) => row.id > after)
      const rows = waiting.slice(0, Math.min(limit, readMax))
      return { rows, isMore: waiting.length > rows.length }
    },
    async append({
      epoch,
      oldSize,
      oldRoot,
      entries,
      frontier,
      root,
      tree,
      repeated,
      conflicting,
    }) {
      if (!isHead({ epoch, oldSize, oldRoot })) return 'superseded'
      if (state.head.frozenAt !== undefined) return 'superseded'
      const known = new Set(state.entries.map((entry) => entry.rec))
      if (entries.some((entry) => known.has(entry.rec))) return 'repeated'
      const taken = new Set([...entries, ...repeated, ...conflicting].map((row) => row.id))
      const intake = state.intake.filter((row) => !taken.has(row.id))
      if (state.intake.length - intake.length !== taken.size) return 'superseded'
      state = {
        ...state,
        intake,
        entries: [...state.entries, ...entries],
        aside: [...state.aside, ...conflicting],
        trees: tree === undefined ? state.trees : [...state.trees, tree],
        head: { ...state.head, size: oldSize + entries.length, frontier, root },
        ledUntilMs: clock.nowMs + leaseMs,
      }
      return 'appended'
    },
    async leavesOf(recs) {
      const wanted = new Set(recs)
      const found = state.entries.filter((entry) => wanted.has(entry.rec))
      return new Map(found.map(({ rec, leaf }) => [rec, leaf]))
    },
    async freeze({ size, epoch }) {
      const { head, intake } = state
      if (head.size !== size || head.epoch !== epoch || intake.length > 0) return false
      state = { ...state, head: { ...head, frozenAt: new Date(clock.nowMs) } }
      return true
    },
    async treeAt(size) {
      return state.trees.find((tree) => tree.size === size)
    },
    async newestTree() {
      return state.trees.at(-1)
    },
    async readEntries(from, to) {
      return state.entries.slice(from, to)
    },
    notePublished: () => Promise.resolve(),
    noteWitnessed: () => Promise.resolve(),
    async backlog() {
      return { records: state.intake.length, oldestRec: state.intake[0]?.rec }
    },
    async restore({ epoch, oldSize, oldRoot, entries, frontier, root, tree }) {
      if (!isHead({ epoch, oldSize, oldRoot })) return false
      state = {
        ...state,
        entries: [...state.entries, ...entries],
        trees: tree === undefined ? state.trees : [...state.trees, tree],
        head: { ...state.head, size: oldSize + entries.length, frontier, root },
      }
      return true
    },
  }

  function isHead(old: Pick<LogGrowth, 'epoch' | 'oldSize' | 'oldRoot'>): boolean {
    const { epoch, size, root } = state.head
    return epoch === old.epoch && size === old.oldSize && Buffer.compare(root, old.oldRoot) === 0
  }

  /** What is published was committed first. */
  function refuseUncommitted(bytes: Uint8Array): void {
    const { size, root } = parseCheckpoint(parseNote(new TextDecoder().decode(bytes)).text)
    const committed = state.trees.find((tree) => tree.size === size)
    if (committed === undefined || Buffer.compare(committed.root, root) !== 0) {
      throw new Error(`invariant: a tree of size ${size} was published and never committed`)
    }
  }

  return {
    database,
    store,
    objects,
    clock,
    /** A record whose writer was told that it is durable. */
    accept(rec: string, body: Uint8Array): void {
      const row = { id: state.nextId, rec, body }
      state = { ...state, nextId: state.nextId + 1, intake: [...state.intake, row] }
    },
    state: () => state,
    /** Puts an older state back, as a restored backup does. */
    restoreBackup(older: DatabaseState): void {
      state = older
    },
  }
}

export type SimulatedWorld = ReturnType<typeof simulatedWorld>
