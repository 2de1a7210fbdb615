/** The fate of one item of a batch. */
export type Settled<Result> =
  | { readonly ok: true; readonly value: Result }
  | { readonly ok: false; readonly error: unknown }

export type GroupCommitOptions<Item, Result> = {
  /**
   * One statement, one commit. Returns the fate of each item, in order; a throw is every item's. Once it has
   * sent its last statement it may call `sent`: the next batch then begins beside its commit.
   */
  readonly run: (items: readonly Item[], sent: () => void) => Promise<readonly Settled<Result>[]>
  /** Items of one batch; with `weightOf`, their weight together. One item always fits. */
  readonly batchMax: number
  readonly weightOf?: (item: Item) => number
  /** Batches under way at once; they are pipelined on one connection. */
  readonly inFlightMax: number
  /** Items that may wait; more are refused with what `refuse` returns. */
  readonly waitingMax: number
  readonly refuse: () => Error
  /** Two items of one key never share a batch. */
  readonly keyOf?: (item: Item) => unknown
}

export type GroupCommit<Item, Result> = {
  submit(item: Item): Promise<Result>
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>
}

type Waiting<Item, Result> = {
  readonly item: Item
  readonly resolve: (value: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets concurrent callers share commits. A batch leaves as soon as a slot is free, so a lone caller
 * never waits for company; under load the batches fill up by themselves.
 */
export function groupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): GroupCommit<Item, Result> {
  const { inFlightMax, waitingMax } = options
  let waiting: Waiting<Item, Result>[] = []
  /** Batches in front of their last statement, and all of them. */
  let inFlight = 0
  let running = 0
  let isScheduled = false
  let onIdle: (() => void)[] = []

  async function send(batch: Waiting<Item, Result>[]): Promise<void> {
    let isHeld = true
    const leave = () => {
      if (isHeld) inFlight -= 1
      isHeld = false
    }
    const sent = () => {
      leave()
      pump()
    }
    try {
      const fates = await options.run(
        batch.map((entry) => entry.item),
        sent,
      )
      for (const [index, entry] of batch.entries()) settle(entry, fates[index])
    } catch (error) {
      for (const entry of batch) entry.reject(error)
    } finally {
      leave()
      running -= 1
      pump()
    }
  }

  function pump(): void {
    isScheduled = false
    while (waiting.length > 0 && inFlight < inFlightMax) {
      inFlight += 1
      running += 1
      const { batch, rest } = batchOf(waiting, options)
      waiting = rest
      void send(batch)
    }
    if (running === 0 && waiting.length === 0) {
      for (const resolve of onIdle) resolve()
      onIdle = []
    }
  }

  return {
    submit(item) {
      if (waiting.length >= waitingMax) return Promise.reject(options.refuse())
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        if (isScheduled || inFlight >= inFlightMax) return
        // One turn of the event loop, so that requests read from the sockets together share a commit.
        isScheduled = true
        setImmediate(pump)
      })
    },
    idle() {
      if (running === 0 && waiting.length === 0) return Promise.resolve()
      return new Promise((resolve) => {
        onIdle.push(resolve)
      })
    },
  }
}

/** What fits into a batch and shares no key, and the rest, each in order. */
function batchOf<Item, Result>(
  waiting: readonly Waiting<Item, Result>[],
  options: GroupCommitOptions<Item, Result>,
): { readonly batch: Waiting<Item, Result>[]; readonly rest: Waiting<Item, Result>[] } {
  const { batchMax, weightOf = () => 1, keyOf = (item: Item): unknown => item } = options
  const keys = new Set<unknown>()
  const batch: Waiting<Item, Result>[] = []
  const rest: Waiting<Item, Result>[] = []
  let weight = 0
  for (const entry of waiting) {
    const key = keyOf(entry.item)
    const fits = batch.length === 0 || weight + weightOf(entry.item) <= batchMax
    if (fits && !keys.has(key)) {
      keys.add(key)
      batch.push(entry)
      weight += weightOf(entry.item)
    } else {
      rest.push(entry)
    }
  }
  return { batch, rest }
}

function settle<Item, Result>(
  entry: Waiting<Item, Result>,
  fate: Settled<Result> | undefined,
): void {
  if (fate === undefined)
    entry.reject(new Error('invariant: a batch returns a fate for every item'))
  else if (fate.ok) entry.resolve(fate.value)
  else entry.reject(fate.error)
}

/**
 * Runs a batch; when the server refuses the statement, runs each item alone, so that one bad item
 * does not fail its neighbours. An outage is everybody's and is not tried again.
 */
export async function runOrSplit<Item, Result>(
  items: readonly Item[],
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  isOutage: (error: unknown) => boolean,
): Promise<readonly Settled<Result>[]> {
  try {
    const values = await run(items)
    return values.map((value) => ({ ok: true, value }))
  } catch (error) {
    if (items.length === 1 || isOutage(error)) return items.map(() => ({ ok: false, error }))
    const alone = items.map((item) => runOrSplit([item], run, isOutage))
    return (await Promise.all(alone)).flat()
  }
}
