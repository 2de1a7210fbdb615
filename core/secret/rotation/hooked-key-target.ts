import { PosternError } from '../../errors.ts'
import { type ApiKeyOptions, refuseSameKey } from './api-key-target.ts'
import type { KeyHook } from './key-hook.ts'
import { targetRefused } from './login-pair.ts'
import type { RotationTarget } from './rotation-target.ts'

export type HookedKeyOptions = ApiKeyOptions & { readonly hook: KeyHook }

/** A key that somebody else makes and ends: the hook is asked for each step. */
export function hookedKeyTarget({ hook, member, graceSeconds }: HookedKeyOptions): RotationTarget {
  return {
    graceSeconds,
    generate: async (current, plan) => ({ ...current, ...(await hook.create(plan)) }),
    async discard(plan) {
      const members = await hook.create(plan).catch((error: unknown) => {
        if (error instanceof PosternError && error.code === 'secret.target_refused')
          return undefined
        throw error
      })
      if (members !== undefined) await hook.retire(members)
    },
    // Made is let in: there is one step less than with a login.
    set: () => Promise.resolve(),
    async test(succession) {
      refuseSameKey(succession, member)
      if (await hook.accepts('test', succession.pending)) return
      throw targetRefused('the hook does not accept the new key')
    },
    retire: ({ retired }) => hook.retire(retired),
    isRefused: async (retired) => !(await hook.accepts('probe', retired)),
  }
}
