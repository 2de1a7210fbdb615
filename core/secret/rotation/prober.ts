import { PosternError } from '../../errors.ts'
import { inTime } from '../../in-time.ts'
import type { SecretMembers } from '../secret-store.ts'
import type { HeldSession, RotationTarget } from './rotation-target.ts'

/** Milliseconds between two attempts to log in with what is revoked. */
const probeMs = 250
/** Milliseconds for one attempt: a connection that was ended under a query may never answer. */
const probeMsMax = 5_000

type Probing = {
  /** Of what is revoked; undefined where they are gone, or were never let in. */
  readonly members: SecretMembers | undefined
  /** Called once, at the moment when it was seen. */
  readonly onEffective: () => Promise<void>
}

export type Prober = AsyncDisposable & {
  /** Nothing more will happen: says that it is effective, where nobody has seen it so far. */
  settle(): Promise<void>
}

/**
 * Tries as one who has stolen it would. What is no login, or gone, cannot be tried; neither can a
 * login that is refused already, by a password that a thief may have given it: only its end tells.
 */
export async function startProber(
  target: RotationTarget,
  { members, onEffective }: Probing,
): Promise<Prober> {
  let isTold = false
  const tell = async () => {
    if (isTold) return
    await onEffective()
    isTold = true
  }
  const { logins } = target
  const session = members && (await logins?.hold(members).catch(() => undefined))
  const isDead = async () => {
    if (members === undefined || session === undefined) return false
    return (await answered(target.isRefused(members))) && !(await answered(session.isOpen()))
  }
  const tries = session === undefined ? undefined : repeat(isDead, tell)
  return {
    async settle() {
      await tries?.close()
      if (!isTold && session !== undefined && (await answered(session.isOpen()))) {
        const reason = 'a session that the revoked login opened is still open'
        throw new PosternError('secret.target_unavailable', { reason })
      }
      await tell()
    },
    async [Symbol.asyncDispose]() {
      await tries?.close()
      await close(session)
    },
  }
}

async function answered<Answer>(asked: Promise<Answer>): Promise<Answer> {
  const reason = `no answer to an attempt to log in within ${probeMsMax} ms`
  const late = () => new PosternError('secret.target_unavailable', { reason })
  return await inTime(asked, probeMsMax, late)
}

async function close(session: HeldSession | undefined): Promise<void> {
  await session?.close()
}

/** Asks until it is so and told, or closed; a target that does not answer is asked again. */
function repeat(isSo: () => Promise<boolean>, tell: () => Promise<void>) {
  const closing = Promise.withResolvers<void>()
  let isClosed = false
  async function run(): Promise<void> {
    while (!isClosed) {
      // What cannot be told now, because Postgres is away, is told in another turn.
      const isTold = await isSo()
        .then(async (isIt) => {
          if (isIt) await tell()
          return isIt
        })
        .catch(() => false)
      if (isTold) return
      await Promise.race([Bun.sleep(probeMs), closing.promise])
    }
  }
  const running = run()
  return {
    async close() {
      isClosed = true
      closing.resolve()
      await running
    },
  }
}
