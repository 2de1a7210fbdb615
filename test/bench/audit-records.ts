import type { Caller } from '#core/access/principal.ts'
import {
  type AuditRecord,
  callerRecord,
  encodeAuditRecord,
  systemRecord,
} from '#core/audit/record.ts'
import { measureWallet } from '#core/score/measure-wallet.ts'
import { formCohort, scoreMeasured } from '#core/score/score-cohort.ts'
import { scoreRecords } from '#core/score/score-records.ts'
import { tradeOf, tradeRowSchema } from '#core/score/trade.ts'
import type { WalletScore } from '#core/score/wallet-score.ts'
import { base58, randomNumbers, syntheticWallets } from '#test/score/synthetic-wallets.ts'
import { benchKind } from './bench-kind.ts'

export type BenchRecord = { readonly rec: string; readonly body: string }

/** Jobs of which one is a score. */
const jobsPerRound = 3
const callersMax = 50
/** Measured wallets that take turns: more than lie within the 32 KB that gzip looks back. */
const scoresMax = 64
const recordsPerSecond = 2_000
/** Records between two heartbeats, which are 30 s apart. */
const heartbeatRecords = 30 * recordsPerSecond
const scoreOptions = {
  costBasis: 'fifo',
  algorithmVersion: 'xorj-1.0.0',
  endDate: '2025-09-30',
} as const

/**
 * `count` records, at least four: a gateway and a worker from start to stop, at 2,000 a second. Of
 * three jobs, accepted and completed, one is a score with its calculation and its eligibility, and
 * a caller reads all three. Ids, traces and wallets never repeat, so that gzip finds what it would.
 */
export function* benchRecords(count: number): Iterable<BenchRecord> {
  const startMs = Date.now()
  const [gateway, worker] = [benchProcess('gateway@bench'), benchProcess('worker@bench')]
  const rounds = jobRounds(gateway, worker)
  const last = count - 2
  for (let index = 0; index < count; index++) {
    const at = new Date(startMs + (index * 1_000) / recordsPerSecond)
    const own = index % 2 === 0 ? gateway : worker
    if (index < 2) yield own.tell('process.started', at)
    else if (index >= last) yield own.tell('process.stopped', at)
    else if (index % heartbeatRecords < 2) yield own.tell('process.heartbeat', at)
    else yield rounds.next(at)
  }
}

type BenchProcess = ReturnType<typeof benchProcess>

function benchProcess(replica: string) {
  let rseq = 0

  function write(record: AuditRecord): BenchRecord {
    const body = encodeAuditRecord(record, { replica, epoch: 1, rseq: rseq++ })
    return { rec: record.id, body }
  }

  function tell(
    type: 'process.started' | 'process.heartbeat' | 'process.stopped',
    at: Date,
  ): BenchRecord {
    const id = newId(at)
    const details = type === 'process.started' ? { version: 'bench' } : { settled: rseq - 1 }
    return write(
      systemRecord({ id, type, at, target: `process/${replica}`, outcome: 'ok', details }),
    )
  }

  return { write, tell }
}

function newId(at: Date): string {
  return Bun.randomUUIDv7('hex', at)
}

/** Gives one record after the other; they are made a round of jobs at a time. */
function jobRounds(gateway: BenchProcess, worker: BenchProcess) {
  const callers = Array.from({ length: callersMax }, (_, at) => benchCaller(at))
  const scores = benchScores()
  const random = randomNumbers(42)
  let [round, waiting]: [number, (() => BenchRecord)[]] = [0, []]

  function make(at: Date): (() => BenchRecord)[] {
    const caller = callers[round % callers.length] ?? benchCaller(0)
    const score = scores[round % scores.length]
    if (score === undefined) throw new Error('invariant: some wallets were measured')
    const jobs = Array.from({ length: jobsPerRound }, (_, job) =>
      job === 0
        ? scoreJob(fresh(caller, at), { ...score, wallet: base58(random, 32) }, at)
        : plainJob(fresh(caller, at), at),
    )
    const accepted = jobs.map((job) => () => gateway.write(job.accepted))
    const done = jobs.flatMap((job) => job.done.map((record) => () => worker.write(record)))
    const ids = jobs.map((job) => job.accepted.id)
    return [...accepted, ...done, () => gateway.write(readsRecord(fresh(caller, at), ids, at))]
  }

  return {
    next(at: Date): BenchRecord {
      if (waiting.length === 0) {
        waiting = make(at).reverse()
        round++
      }
      const write = waiting.pop()
      if (write === undefined) throw new Error('invariant: a round has records')
      return write()
    },
  }
}

function benchCaller(at: number): Caller {
  return {
    principal: {
      issuer: 'https://issuer.example.com',
      subject: `service-${at}`,
      tokenId: crypto.randomUUID(),
      keyId: 'key-1',
      scopes: new Set<string>(),
      expiresAt: 0,
    },
    clientAddress: `10.1.2.${at}`,
    userAgent: 'service/1.0',
    requestId: '',
    traceparent: undefined,
  }
}

/** Another request of the caller. */
function fresh(caller: Caller, at: Date): Caller {
  const trace = crypto.randomUUID().replaceAll('-', '')
  const traceparent = `00-${trace}-${crypto.randomUUID().slice(-12)}b7ad-01`
  return { ...caller, requestId: newId(at), traceparent }
}

type BenchJob = { readonly accepted: AuditRecord; readonly done: readonly AuditRecord[] }

function plainJob(caller: Caller, at: Date): BenchJob {
  return jobRecords({ caller, at, kind: benchKind.name, parameters: {}, details: {}, scored: [] })
}

function scoreJob(caller: Caller, score: WalletScore, at: Date): BenchJob {
  const { wallet, status, trustScore, reasons } = score
  const parameters = { ...scoreOptions, wallet }
  const details = { ...parameters, status, trustScore, reasons: reasons.map(({ code }) => code) }
  return jobRecords({ caller, at, kind: 'score-wallet', parameters, details, scored: [score] })
}

/** What accepting and completing a job leaves behind. */
function jobRecords(job: {
  readonly caller: Caller
  readonly at: Date
  readonly kind: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly details: Readonly<Record<string, unknown>>
  readonly scored: readonly WalletScore[]
}): BenchJob {
  const { caller, at, kind, parameters, details, scored } = job
  const { requestId, traceparent } = caller
  const id = newId(at)
  const about = { at, target: `job/${id}`, outcome: 'ok' } as const
  const accepted = { ...about, id, type: 'job.accepted', details: { kind, ...parameters } } as const
  const completed = { ...about, id: newId(at), type: 'job.completed' } as const
  return {
    accepted: callerRecord(caller, accepted),
    done: [
      ...scoreRecords(scored, { jobId: id, requestId, at }),
      systemRecord({
        ...completed,
        ...{ requestId, details: { kind, attempt: 1, ...details } },
        ...(traceparent === undefined ? {} : { traceparent }),
      }),
    ],
  }
}

/** As the gateway writes what one caller read within a second. */
function readsRecord(caller: Caller, jobIds: readonly string[], at: Date): AuditRecord {
  const reads = jobIds.map((id, ms) => [ms, '/v1/jobs/:id', `/v1/jobs/${id}`, 200, newId(at)])
  const about = { id: newId(at), type: 'access.read', at, target: 'reads', outcome: 'ok' } as const
  return {
    ...callerRecord(caller, { ...about, details: { reads } }),
    requestId: undefined,
    traceparent: undefined,
  }
}

function benchScores(): readonly WalletScore[] {
  const wallets = [...syntheticWallets({ wallets: scoresMax, swapsPerWallet: 100, state: 42 })]
  const measured = wallets.map(({ wallet, rows }) => {
    const trades = rows.map((row) => tradeOf(wallet, tradeRowSchema.parse(row)))
    return measureWallet(wallet, trades, scoreOptions)
  })
  const cohort = formCohort('bench', measured, scoreOptions)
  return measured.map((measurement) => scoreMeasured(measurement, cohort))
}
