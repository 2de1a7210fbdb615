import type { Sql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import { oneAtATime } from '../../one-at-a-time.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import {
  type PendingRevocation,
  type PendingRevocations,
  pendingRevocations,
} from '../../revocation/pending-revocations.ts'
import { secretOf } from '../../revocation/revocation.ts'
import type { SecretStore } from '../secret-store.ts'
import type { FingerprintKey } from './fingerprint.ts'
import { revokeSecret } from './revoke-secret.ts'
import type { Rotation } from './rotation.ts'
import type { RotationJournal, SecretPointer } from './rotation-journal.ts'
import type { RotationTarget } from './rotation-target.ts'
import { type RotationRun, runRotation } from './run-rotation.ts'

/** Milliseconds until what nobody was told of is found. */
const lookMs = 1_000
/** Milliseconds between two readings of ages and due dates. */
const gaugesMs = 15_000
const channels = ['postern_rotation', 'postern_revocation']

export type RotatorOptions = {
  /** As `postern_rotator`. */
  readonly sql: Sql
  readonly journal: RotationJournal
  readonly store: SecretStore
  readonly fingerprintKey: FingerprintKey
  /** Opens what a secret opens; `stack` closes it. Throws `secret.not_found` for one with no rotation. */
  readonly openTarget: (
    name: string,
    pointer: SecretPointer | undefined,
    stack: AsyncDisposableStack,
  ) => Promise<RotationTarget>
  readonly log: Log
  readonly metrics: Metrics
}

export type Rotator = {
  /** Ends waits, lets the step under way end, and resolves then. */
  close(): Promise<void>
}

/**
 * Takes rotations to their end and revocations of secrets to theirs, each secret by itself. Several
 * rotators do each other no harm.
 */
export async function startRotator(options: RotatorOptions): Promise<Rotator> {
  const { sql, log } = options
  const stopping = new AbortController()
  const pending = pendingRevocations(sql)
  const journal = meteredJournal(options)
  /** What is under way here. */
  const running = new Map<string, Promise<void>>()

  function start(key: string, run: () => Promise<void>): void {
    if (running.has(key) || stopping.signal.aborted) return
    const started = run()
      .catch((error: unknown) => log.warn('rotator.failed', { of: key, error }))
      .finally(() => running.delete(key))
    running.set(key, started)
  }

  async function look(): Promise<void> {
    try {
      const revocations = await pending.list()
      options.metrics.revocationsPending.set(
        Math.max(0, ...revocations.map((one) => one.ageSeconds)),
      )
      for (const revocation of revocations) {
        start(`revocation ${revocation.id}`, () =>
          heed({ ...options, journal }, { pending, revocation, signal: stopping.signal }),
        )
      }
      for (const rotation of await journal.due()) {
        start(`rotation ${rotation.id}`, () =>
          rotate({ ...options, journal }, rotation, stopping.signal),
        )
      }
    } catch (error) {
      log.warn('rotator.blind', { error })
    }
  }

  const looks = oneAtATime(look)
  const listenings = await Promise.all(
    channels.map((channel) => sql.listen(channel, () => void looks.again())),
  ).catch(rethrowAsOutage)
  const timer = setInterval(() => void looks.unlessRunning(), lookMs)
  const gauges = startGauges(options)
  await looks.again()
  return {
    async close() {
      stopping.abort()
      clearInterval(timer)
      clearInterval(gauges)
      await looks.close()
      await Promise.all(running.values())
      for (const { unlisten } of listenings) await unlisten().catch(() => undefined)
    },
  }
}

/** What ends in force is counted where it ends, once, however many rotators there are. */
function meteredJournal({ journal, metrics, store }: RotatorOptions): RotationJournal {
  return {
    ...journal,
    async end(rotation) {
      const ended = await journal.end(rotation)
      if (ended.step === 'done') metrics.secretsRotated.inc({ backend: store.name })
      return ended
    },
    async failed(rotation, failure) {
      metrics.rotationStepFailures.inc({ step: rotation.step })
      return await journal.failed(rotation, failure)
    },
    async undo(rotation, reason) {
      metrics.rotationStepFailures.inc({ step: rotation.step })
      return await journal.undo(rotation, reason)
    },
  }
}

async function rotate(
  options: RotatorOptions,
  { id, name }: Rotation,
  signal: AbortSignal,
): Promise<void> {
  await withRun(options, name, signal, async (run) => {
    const { step, error } = await runRotation(run, id)
    options.log.info('rotator.rotation', { of: name, rotation: id, step, reason: error })
  })
}

type Heeding = {
  readonly pending: PendingRevocations
  readonly revocation: PendingRevocation
  readonly signal: AbortSignal
}

async function heed(
  options: RotatorOptions,
  { pending, revocation, signal }: Heeding,
): Promise<void> {
  const { id, class: of } = revocation
  const { metrics, log } = options
  const onEffective = async () => {
    const seconds = await pending.settle(id)
    if (seconds === undefined) return
    metrics.revocationSeconds.observe({ class: of }, seconds)
    log.info('rotator.revoked', { revocation: id, seconds })
  }
  const name = secretOf(revocation)?.name ?? ''
  try {
    await withRun(options, name, signal, (run) => revokeSecret({ ...run, onEffective }, revocation))
  } catch (error) {
    if (!(error instanceof PosternError)) throw error
    await pending.note(id, `${error.code}: ${error.message}`)
    throw error
  }
}

async function withRun(
  options: RotatorOptions,
  name: string,
  signal: AbortSignal,
  use: (run: RotationRun) => Promise<void>,
): Promise<void> {
  const { journal, store, fingerprintKey } = options
  await using stack = new AsyncDisposableStack()
  const pointer = await journal.pointer(name)
  const target = await options.openTarget(name, pointer, stack)
  await use({ journal, store, target, fingerprintKey, random: Math.random, signal })
}

const gaugeRows = z.array(z.object({ name: z.string(), age: z.number(), due: z.number() }))

function startGauges({ sql, metrics, log }: RotatorOptions): Timer {
  async function read(): Promise<void> {
    const rows = gaugeRows.parse(
      await sql`
        select name, extract(epoch from now() - coalesce(rotated_at, created_at))::float8 as age,
          extract(epoch from due_at - now())::float8 as due
        from postern_secret order by name limit 200`,
    )
    for (const { name, age, due } of rows) {
      metrics.secretAgeSeconds.set({ secret_name: name }, age)
      metrics.secretDueSeconds.set({ secret_name: name }, due)
    }
  }
  const readOrTell = () =>
    void read().catch((error: unknown) => log.warn('rotator.blind', { error }))
  readOrTell()
  return setInterval(readOrTell, gaugesMs)
}
