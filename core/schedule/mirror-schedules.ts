import type { Timetable } from './cron.ts'
import type { Ticker, TickQueue } from './tick-queue.ts'

/** A tick that is so late has been lost; it is up to a worker that is busy otherwise. */
const stuckMs = 30_000

const driftKinds = ['missing', 'changed', 'stuck', 'stranger'] as const

export type Mending = {
  readonly name: string
  readonly what: (typeof driftKinds)[number]
  /** Undefined: it is taken away. */
  readonly timetable: Timetable | undefined
  /** False where Postgres was changed since the last look, and the engine only follows. */
  readonly isDrift: boolean
}

/** What ticks at the engine, by name. */
export type Mirrored = ReadonlyMap<string, Timetable>

/**
 * What has to be done so that the engine ticks as `wanted` says. `before` is what was wanted at the
 * last look: the engine drifted where that has not changed since.
 */
export function mendings(
  wanted: Mirrored,
  held: readonly Ticker[],
  { before, now }: { readonly before: Mirrored; readonly now: Date },
): readonly Mending[] {
  const heldByName = new Map(held.map((ticker) => [ticker.name, ticker]))
  const found: Mending[] = []
  for (const [name, timetable] of wanted) {
    const what = faultOf(heldByName.get(name), timetable, now)
    if (what === undefined) continue
    found.push({ name, what, timetable, isDrift: isSame(before.get(name), timetable) })
  }
  for (const { name } of held) {
    if (wanted.has(name)) continue
    found.push({ name, what: 'stranger', timetable: undefined, isDrift: !before.has(name) })
  }
  return found
}

function faultOf(
  held: Ticker | undefined,
  wanted: Timetable,
  now: Date,
): Mending['what'] | undefined {
  if (held === undefined) return 'missing'
  if (!isSame(held, wanted)) return 'changed'
  const { nextAt } = held
  return nextAt === undefined || now.getTime() - nextAt.getTime() > stuckMs ? 'stuck' : undefined
}

function isSame(one: Timetable | undefined, other: Timetable): boolean {
  return one?.cron === other.cron && one.timeZone === other.timeZone
}

/** Each is tried; the first failure is thrown at the end. */
export async function mend(ticks: TickQueue, found: readonly Mending[]): Promise<void> {
  const done = await Promise.allSettled(
    found.map(({ name, timetable }) =>
      timetable === undefined ? ticks.remove(name) : ticks.put(name, timetable),
    ),
  )
  const failed = done.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
