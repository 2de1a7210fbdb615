import type { Books } from './stage/books.ts'

/** `void`: the run says nothing, neither good nor bad. */
export type Verdict = {
  readonly name: string
  readonly seen: string
  readonly required: string
  readonly fate: 'met' | 'missed' | 'void'
}

const acceptedPartMin = 0.6
const filledPartMin = 0.5
/** Ours, on two cores that client, gateway, workers and databases share. */
const ours = {
  usersMin: 1_000,
  failurePartMax: 0.001,
  gatewayP99MsMax: 100,
  stubFactorMax: 2,
} as const

const percent = (part: number) => `${(part * 100).toFixed(2)} %`
const milliseconds = (ms: number) => `${ms.toFixed(1)} ms`
const fateOf = (isMet: boolean): Verdict['fate'] => (isMet ? 'met' : 'missed')

/** Exact figures; Locust's are rounded and can lift 495 to 500. */
export type ClientFigures = {
  readonly requests: number
  readonly failures: number
  readonly p99Ms: number
  /** Of the requests by name the one with the highest p99, where each has to be fast. */
  readonly slowest?: { readonly name: string; readonly p99Ms: number } | undefined
}

export type Gates = { readonly failureRatioMax: number; readonly p99MsMax: number }

/** What any run has to meet. */
export function floorVerdicts(client: ClientFigures, gates: Gates): readonly Verdict[] {
  const { requests, failures, p99Ms, slowest } = client
  const part = requests === 0 ? 1 : failures / requests
  return [
    {
      ...{ name: 'requests', seen: String(requests), required: 'above 0' },
      fate: fateOf(requests > 0),
    },
    {
      ...{
        name: 'failures',
        seen: percent(part),
        required: `below ${percent(gates.failureRatioMax)}`,
      },
      fate: fateOf(part < gates.failureRatioMax),
    },
    {
      ...{ name: 'p99 at the client', seen: milliseconds(p99Ms) },
      required: `below ${gates.p99MsMax} ms`,
      fate: fateOf(requests > 0 && p99Ms < gates.p99MsMax),
    },
    ...(slowest === undefined
      ? []
      : [
          {
            name: 'p99 of each request at the client',
            seen: `${milliseconds(slowest.p99Ms)}, of ${slowest.name}`,
            required: `below ${gates.p99MsMax} ms`,
            fate: fateOf(slowest.p99Ms < gates.p99MsMax),
          },
        ]),
  ]
}

/** What ours has to meet on its own stage, from 1,000 users on; fewer are only told. */
export function stageVerdicts(figures: {
  readonly users: number
  readonly client: ClientFigures
  readonly stubP99Ms: number | undefined
  /** Of the gateway's own histogram. */
  readonly gatewayP99Ms: number
  readonly partWithin100Ms: number
}): readonly Verdict[] {
  const { users, client, stubP99Ms, gatewayP99Ms, partWithin100Ms } = figures
  if (users < ours.usersMin) return []
  const part = client.requests === 0 ? 1 : client.failures / client.requests
  const limitMs = (stubP99Ms ?? 0) * ours.stubFactorMax
  const beside: Verdict = {
    name: 'p99 at the client beside the stub’s',
    seen: `${milliseconds(client.p99Ms)}, the stub’s ${milliseconds(stubP99Ms ?? 0)}`,
    required: `at most ${ours.stubFactorMax} times the stub’s`,
    fate: fateOf(client.p99Ms <= limitMs),
  }
  return [
    {
      ...{ name: 'failures, ours', seen: percent(part) },
      required: `below ${percent(ours.failurePartMax)}`,
      fate: fateOf(part < ours.failurePartMax),
    },
    {
      name: 'p99 in the gateway’s histogram',
      seen: `${milliseconds(gatewayP99Ms)}; ${percent(partWithin100Ms)} within 100 ms`,
      required: `below ${ours.gatewayP99MsMax} ms`,
      fate: fateOf(partWithin100Ms >= 0.99),
    },
    ...(stubP99Ms === undefined ? [] : [beside]),
  ]
}

/** Whether the run was one: a desk that denies most is fast, and proves nothing. */
export function marketVerdicts(books: Books): readonly Verdict[] {
  const accepted = books.orders === 0 ? 0 : books.accepted / books.orders
  const filled = books.accepted === 0 ? 0 : books.filled / books.accepted
  return [
    {
      ...{ name: 'orders accepted', seen: `${percent(accepted)} of ${books.orders}` },
      required: `at least ${percent(acceptedPartMin)}`,
      fate: accepted >= acceptedPartMin ? 'met' : 'void',
    },
    {
      ...{ name: 'of these filled, at least in part', seen: percent(filled) },
      required: `at least ${percent(filledPartMin)}`,
      fate: filled >= filledPartMin ? 'met' : 'void',
    },
  ]
}

/**
 * Nothing lost: what was answered with 201 is there, has ended, and stands in the log. `cutMax`
 * requests may have been cut off at the end, whose answers nobody has heard.
 */
export function bookVerdicts(books: Books, answered: number, cutMax: number): readonly Verdict[] {
  const { orders, open, enteredRecords, endedRecords } = books
  const { jobs, unfinishedJobs, askedJobs, jobRecords, jobEndRecords, outbox } = books
  return [
    {
      ...{ name: 'answers 201, orders there', seen: `${answered}, ${orders}` },
      required: `equal, but for ${cutMax} cut off at the end`,
      fate: fateOf(orders >= answered && orders <= answered + cutMax),
    },
    {
      ...{ name: 'orders there, audited, ended, ends audited' },
      seen: `${orders}, ${enteredRecords}, ${orders - open}, ${endedRecords}`,
      required: 'equal',
      fate: fateOf([enteredRecords, orders - open, endedRecords].every((one) => one === orders)),
    },
    {
      ...{ name: 'jobs asked for, audited', seen: `${askedJobs}, ${jobRecords}` },
      ...{ required: 'equal', fate: fateOf(askedJobs === jobRecords) },
    },
    {
      name: 'stopped by Postern itself',
      seen: books.stopped.length === 0 ? 'nothing' : books.stopped.join('; '),
      required: 'nothing',
      fate: fateOf(books.stopped.length === 0),
    },
    {
      name: 'jobs there, ended, ends audited, left in the outbox',
      seen: `${jobs}, ${jobs - unfinishedJobs}, ${jobEndRecords}, ${outbox}`,
      required: 'equal, and none left',
      fate: fateOf(outbox === 0 && unfinishedJobs === 0 && jobEndRecords === jobs),
    },
  ]
}

/** As with orders: what was answered with 202 is a job. */
export function scoreVerdict({ scoreJobs }: Books, answered: number, cutMax: number): Verdict {
  return {
    ...{ name: 'answers 202, jobs there', seen: `${answered}, ${scoreJobs}` },
    required: `equal, but for ${cutMax} cut off at the end`,
    fate: fateOf(scoreJobs >= answered && scoreJobs <= answered + cutMax),
  }
}

/** 0 where all is met; 3 where the run is void, else 1. */
export function exitCodeOf(verdicts: readonly Verdict[]): 0 | 1 | 3 {
  if (verdicts.some(({ fate }) => fate === 'void')) return 3
  return verdicts.some(({ fate }) => fate === 'missed') ? 1 : 0
}

const marks = { met: 'ok    ', missed: 'MISSED', void: 'VOID  ' } as const

export function verdictLines(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.map(
    ({ name, seen, required, fate }) => `${marks[fate]} ${name}: ${seen} (${required})`,
  )
}
