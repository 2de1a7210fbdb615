import { PosternError } from '../../errors.ts'
import type { Venue, VenueFill } from '../venue.ts'

/** The calls that change nothing. */
export type VenueReads = Pick<
  Venue,
  'findByClientOrderId' | 'listOpen' | 'listFills' | 'positions' | 'account' | 'clock'
>

export type VenueCallName =
  | 'submit'
  | 'cancel'
  | 'replace'
  | 'find'
  | 'list_open'
  | 'list_fills'
  | 'positions'
  | 'account'
  | 'clock'

export type VenueCall = {
  readonly name: VenueCallName
  readonly account: string
  /** Of the order that is submitted. */
  readonly clientOrderId?: string
  readonly signal?: AbortSignal
}

/** `given_up`: its caller no longer waits. `failed`: a throw that is no outage, so a bug. */
export type CallOutcome =
  | 'accepted'
  | 'rejected'
  | 'unknown'
  | 'not_found'
  | 'not_cancelable'
  | 'answered'
  | 'unavailable'
  | 'given_up'
  | 'failed'

export type Answered<Result> = { readonly result: Result; readonly outcome: CallOutcome }

export type AroundCall = <Result>(
  call: VenueCall,
  run: () => Promise<Answered<Result>>,
) => Promise<Answered<Result>>

/** The venue with `around` about each of its calls; its stream stays as it is. */
export function aroundCalls(venue: Venue, around: AroundCall): Venue {
  const change = async <Result>(
    call: VenueCall,
    run: () => Promise<Result>,
    outcomeOf: (result: Result) => CallOutcome,
  ): Promise<Result> => {
    const answered = await around(call, async () => {
      const result = await run()
      const outcome = outcomeOf(result)
      const isGivenUp = outcome === 'unknown' && call.signal?.aborted === true
      return { result, outcome: isGivenUp ? 'given_up' : outcome }
    })
    return answered.result
  }
  const read = async <Result>(
    name: VenueCallName,
    account: string,
    run: () => Promise<Result>,
  ): Promise<Result> => await change({ name, account }, run, () => 'answered')

  return {
    name: venue.name,
    capabilities: venue.capabilities,
    submit: (order, signal) => {
      const { account, clientOrderId } = order
      const call = { name: 'submit', account, clientOrderId, signal } as const
      return change(
        call,
        () => venue.submit(order, signal),
        ({ kind }) => kind,
      )
    },
    cancel: (order, signal) =>
      change(
        { name: 'cancel', account: order.account, signal },
        () => venue.cancel(order, signal),
        (result) => result,
      ),
    replace: (order, successor, signal) =>
      change(
        { name: 'replace', account: order.account, signal },
        () => venue.replace(order, successor, signal),
        ({ kind }) => kind,
      ),
    findByClientOrderId: (account, id) =>
      read('find', account, () => venue.findByClientOrderId(account, id)),
    listOpen: (account) => read('list_open', account, () => venue.listOpen(account)),
    listFills: (account, since) =>
      fillsFrom(venue.listFills(account, since), (first) => read('list_fills', account, first)),
    positions: (account) => read('positions', account, () => venue.positions(account)),
    account: (account) => read('account', account, () => venue.account(account)),
    clock: (account) => read('clock', account, () => venue.clock(account)),
    stream: (handlers) => venue.stream(handlers),
  }
}

type Next = IteratorResult<VenueFill, unknown>

/** The call is the wait for the first fill: how long a reader takes over the others is its affair. */
async function* fillsFrom(
  fills: AsyncIterable<VenueFill>,
  aroundFirst: (first: () => Promise<Next>) => Promise<Next>,
): AsyncGenerator<VenueFill> {
  const iterator = fills[Symbol.asyncIterator]()
  try {
    let next = await aroundFirst(() => iterator.next())
    while (next.done !== true) {
      yield next.value
      next = await iterator.next()
    }
  } finally {
    await iterator.return?.()
  }
}

/** What a throw of a call comes to. */
export function thrownOutcome(error: unknown, { signal }: VenueCall): CallOutcome {
  if (!(error instanceof PosternError) || error.code !== 'venue.unavailable') return 'failed'
  return signal?.aborted === true ? 'given_up' : 'unavailable'
}
