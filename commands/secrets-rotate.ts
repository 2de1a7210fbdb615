import { Command } from 'commander'
import { ConfigError } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import { isLoginRefused } from '#core/postgres/outage.ts'
import { type FingerprintKey, readFingerprintKey } from '#core/secret/rotation/fingerprint.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { hasEnded, type Rotation } from '#core/secret/rotation/rotation.ts'
import type { RotationJournal } from '#core/secret/rotation/rotation-journal.ts'
import type { RotationTarget } from '#core/secret/rotation/rotation-target.ts'
import { runRotation } from '#core/secret/rotation/run-rotation.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { examples } from './manual.ts'
import { openSecretStore, readerOf } from './open-secret-store.ts'
import { openTarget } from './open-target.ts'
import { operator, withOperatorLog } from './operator-log.ts'
import { secretNameArgument } from './secret-name-argument.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'

/** Seconds; twice what a blocking read of Redis keeps a process waiting. */
const waitDefault = 20
const waitMax = 3_600
/** Milliseconds between two looks at a rotation that somebody else takes on. */
const overtakenMs = 100
/** Rotations of a secret that are printed: some years. */
const historyMax = 100

export function rotateCommand(io: CommandIo): Command {
  return new Command('rotate')
    .summary('give a secret its next version, while everything goes on')
    .description(`Goes on with a rotation that is open, beside a rotator if there is one. Exits with 0 once the old version is worthless, 1 when the
rotation was undone, and 75 when a step has to be tried again: then run it again. Nothing is retired
before every live process has logged in with the new version.`)
    .argument('<name>', 'e.g. postern/database', secretNameArgument)
    .option(
      '--wait <seconds>',
      'for processes that have to follow',
      wholeNumberArgument(0, waitMax, 'seconds'),
      waitDefault,
    )
    .option('--json', 'the rotation as JSON')
    .addHelpText('after', examples('postern secrets rotate postern/database'))
    .action(async (name: string, options: { readonly wait: number; readonly json?: true }) => {
      const asked: Asked = { id: undefined }
      const run = async (context: Rotating) => {
        const rotation = await rotate(context, { asked, patienceMs: options.wait * 1_000 })
        tell(io, rotation, options.json === true)
      }
      try {
        await withRotations(io, name, run)
      } catch (error) {
        // It was the login that this command came in with: it comes in again with the next one.
        if (asked.id === undefined || !isLoginRefused(error)) throw error
        await withRotations(io, name, run)
      }
    })
}

export function rollbackCommand(io: CommandIo): Command {
  return new Command('rollback')
    .summary('go back to the version before, as long as nothing was retired')
    .argument('<name>', 'e.g. postern/database', secretNameArgument)
    .requiredOption('--reason <text>', 'for the audit record')
    .option('--json', 'the rotation as JSON')
    .addHelpText(
      'after',
      examples('postern secrets rollback postern/database --reason "wrong hour"'),
    )
    .action(async (name: string, options: { readonly reason: string; readonly json?: true }) => {
      await withRotations(io, name, async (context) => {
        const [open] = await context.rotations.history(name, 1)
        if (open?.step !== 'settle' || open.promotedAt === undefined) {
          throw new PosternError('secret.rotation_overtaken', {
            detail: `Nothing of ${name} can be rolled back; rotate forward instead.`,
          })
        }
        await context.rotations.rollBack(open, options.reason)
        const asked = { id: open.id }
        tell(io, await rotate(context, { asked }), options.json === true)
      })
    })
}

export function historyCommand(io: CommandIo): Command {
  return new Command('history')
    .summary('print the rotations of a secret, newest first')
    .argument('<name>', 'e.g. postern/database', secretNameArgument)
    .option('--json', 'as JSON')
    .addHelpText('after', examples('postern secrets history postern/database'))
    .action(async (name: string, options: { readonly json?: true }) => {
      await withOperatorLog(io, 'secrets', operator(), async ({ sql, journal, now }) => {
        const rotations = postgresRotationJournal({ sql, journal, now })
        for (const rotation of await rotations.history(name, historyMax)) {
          tell(io, rotation, options.json === true, 'of the past')
        }
      })
    })
}

/** A step as whoever waits for it reads it. */
const doing: Readonly<Record<Rotation['step'], string>> = {
  stage: 'writing the next version into the store',
  set: 'letting the next login in',
  test: 'trying it',
  promote: 'putting it in force',
  settle: 'waiting until every process has logged in with what is in force',
  retire: 'ending the old login and its sessions',
  undo: 'making the next version worthless',
  done: 'done',
  undone: 'undone',
}

type Rotating = {
  readonly name: string
  readonly rotations: RotationJournal
  readonly store: SecretStore
  readonly target: RotationTarget
  readonly fingerprintKey: FingerprintKey
  readonly by: string
  readonly onStep: (rotation: Rotation) => void
}

async function withRotations(
  io: CommandIo,
  name: string,
  run: (context: Rotating) => Promise<void>,
): Promise<void> {
  const config = io.config()
  const opened = openSecretStore(config)
  if (opened === undefined)
    throw new ConfigError(['POSTERN_SECRET_STORE: nothing is rotated without'])
  const by = operator()
  await withOperatorLog(io, 'secrets', by, async ({ sql, journal, now }) => {
    const rotations = postgresRotationJournal({ sql, journal, now })
    const pointer = await rotations.pointer(name)
    await using stack = new AsyncDisposableStack()
    const opening = { config, stack, secrets: readerOf(opened.store) }
    const target = await openTarget(opening, name, pointer)
    const fingerprintKey = await readFingerprintKey(sql)
    const onStep = ({ step }: Rotation) => void io.stderr.write(`${name}: ${doing[step]} …\n`)
    await run({ name, rotations, store: opened.store, target, fingerprintKey, by, onStep })
  })
}

/** The rotation that is taken to its end; none yet: one that is open, or else a new one. */
type Asked = { id: string | undefined }

/** A rotator may be at it too: what it has overtaken here is looked at again, until one of both is held up. */
async function rotate(
  context: Rotating,
  { asked, patienceMs = waitDefault * 1_000 }: { readonly asked: Asked; patienceMs?: number },
): Promise<Rotation> {
  const { name, rotations, store, target, fingerprintKey, by, onStep } = context
  const [last] = await rotations.history(name, 1)
  const isMeant = last !== undefined && (last.id === asked.id || !hasEnded(last))
  const open = isMeant ? last : await rotations.plan(name, by)
  asked.id = open.id
  const { signal } = new AbortController()
  const run = { journal: rotations, store, target, fingerprintKey, random: Math.random, signal }
  for (;;) {
    const rotation = await runRotation({ ...run, onStep, patienceMs }, open.id)
    if (hasEnded(rotation) || rotation.error !== undefined || !rotation.isDrained) return rotation
    await Bun.sleep(overtakenMs)
  }
}

function tell(
  io: CommandIo,
  rotation: Rotation,
  isJson: boolean,
  when: 'now' | 'of the past' = 'now',
): void {
  const { name, step, base, pending, error, openedAt } = rotation
  if (when === 'now') process.exitCode = exitOf(rotation)
  if (isJson) {
    io.stdout.write(`${JSON.stringify({ ...rotation, epoch: rotation.epoch.toString() })}\n`)
    return
  }
  const versions = pending === undefined ? base : `${base} → ${pending}`
  const isDraining = step === 'retire' && !rotation.isDrained
  const grace = isDraining ? ', once the time of grace of its users is over' : ''
  const because = error === undefined ? grace : `: ${error}`
  io.stdout.write(`${openedAt.toISOString()} ${name} ${versions} ${step}${because}\n`)
}

function exitOf({ step }: Rotation): number {
  if (step === 'done') return exitCodes.ok
  return step === 'undone' ? exitCodes.failed : exitCodes.tryAgain
}
