import { PosternError } from '#core/errors.ts'
import { hookedKeyTarget } from '#core/secret/rotation/hooked-key-target.ts'
import { webhookKeyTarget } from '#core/secret/rotation/webhook-key-target.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { webhookKeysIn } from '#core/secret/webhook-keys.ts'
import type { ScriptedTarget } from './scripted-target.ts'

type Session = ScriptedTarget['sessions'][number] & { isOpen: boolean }

/**
 * A key that signs, and a receiver that knows the one before the first rotation and learns no other:
 * it accepts as long as one of the signatures is of that key.
 */
export function overlappingKeyTarget(first: SecretMembers): ScriptedTarget {
  const target = webhookKeyTarget({ member: 'key' })
  const known = first['key'] ?? ''
  let isWithheld = false
  return {
    ...target,
    sessions: [],
    logIn: (members) =>
      webhookKeysIn(members, 'key').includes(known)
        ? { user: 'receiver', isOpen: true }
        : undefined,
    withholdFrom: (user) => {
      isWithheld = user !== undefined
    },
    async test(succession) {
      await target.test(succession)
      if (isWithheld) throw refused()
    },
  }
}

/** A provider of keys behind its hook: one key for each rotation, however often it is asked for. */
export function scriptedHookTarget(first: SecretMembers): ScriptedTarget {
  const keys = new Map([[first['id'], first['key']]])
  const made = new Map<string, SecretMembers>()
  const sessions: Session[] = []
  let isWithheld = false

  function logIn({ id = '', key }: SecretMembers): Session | undefined {
    if (key === undefined || keys.get(id) !== key) return undefined
    const session = { user: id, isOpen: true }
    sessions.push(session)
    return session
  }

  const target = hookedKeyTarget({
    ...{ member: 'key', graceSeconds: 0 },
    hook: {
      async create({ rotation }) {
        const known = made.get(rotation)
        if (known !== undefined) return known
        const members = { id: `id-${made.size + 1}`, key: crypto.randomUUID() }
        made.set(rotation, members)
        keys.set(members.id, members.key)
        return members
      },
      accepts: async (action, members) =>
        logIn(members) !== undefined && !(action === 'test' && isWithheld),
      async retire({ id = '' }) {
        keys.delete(id)
        for (const session of sessions) if (session.user === id) session.isOpen = false
      },
    },
  })
  return {
    ...{ ...target, sessions, logIn },
    withholdFrom: (user) => {
      isWithheld = user !== undefined
    },
    faultsAtEnd: () => (keys.size === 1 ? [] : [`${keys.size} keys are let in`]),
  }
}

function refused(): PosternError {
  return new PosternError('secret.target_refused', { reason: 'a receiver is missing' })
}
