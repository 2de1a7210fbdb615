import { tracingChannel } from 'node:diagnostics_channel'

/**
 * Gives Bun's tracing channels `hasSubscribers`, which Node has and Bun 1.4 lacks. ioredis takes
 * its absence for "somebody listens" and describes each command to nobody: a twelfth of the
 * gateway's time under load.
 */
export function skipUnreadTraces(): void {
  const prototype: object = Object.getPrototypeOf(tracingChannel('postern'))
  if ('hasSubscribers' in prototype) return
  Object.defineProperty(prototype, 'hasSubscribers', {
    configurable: true,
    get(this: Record<string, { readonly hasSubscribers: boolean } | undefined>): boolean {
      return stages.some((stage) => this[stage]?.hasSubscribers === true)
    },
  })
}

const stages = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
