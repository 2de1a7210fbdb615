/** Milliseconds; whoever revokes may count on 60 s: a third of it may pass unheard. */
const heardMsMax = 20_000

/**
 * What a process knows of the pointers in Postgres. Before they are followed it knows nothing: the
 * store's own label says what a process starts with.
 */
export type SecretPointers = {
  /** The version in force; undefined for what has no pointer. */
  current(name: string): string | undefined
  /** False once they are followed and were not heard of for 20 s. */
  isHeard(): boolean
  /** Calls back with each name whose pointer has moved. */
  onMove(listener: (name: string) => void): void
  /** A value of it was given. */
  used(name: string): void
  /** For the follower: what was read, asked for at `askedAtMs` of the monotonic clock. */
  hear(versions: ReadonlyMap<string, string>, askedAtMs: number): void
  /** For the follower: how often each name was used since the last call. */
  takeUses(): ReadonlyMap<string, number>
  /** For the follower: counts what could not be stored again. */
  giveBack(uses: ReadonlyMap<string, number>): void
}

export function secretPointers(
  monotonicMs: () => number = () => performance.now(),
): SecretPointers {
  let known: ReadonlyMap<string, string> = new Map()
  let heardAtMs: number | undefined
  let uses = new Map<string, number>()
  const listeners: ((name: string) => void)[] = []
  const count = (name: string, times: number) => uses.set(name, (uses.get(name) ?? 0) + times)
  return {
    current: (name) => known.get(name),
    isHeard: () => heardAtMs === undefined || monotonicMs() - heardAtMs < heardMsMax,
    onMove: (listener) => void listeners.push(listener),
    used: (name) => void count(name, 1),
    hear(versions, askedAtMs) {
      const before = known
      known = versions
      heardAtMs = askedAtMs
      for (const [name, version] of versions) {
        if (before.get(name) === version) continue
        for (const listener of listeners) listener(name)
      }
    },
    takeUses() {
      const taken = uses
      uses = new Map()
      return taken
    },
    giveBack(taken) {
      for (const [name, times] of taken) count(name, times)
    },
  }
}
