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
