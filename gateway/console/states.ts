import type { Tone } from './marks.tsx'

const jobTones: Readonly<Record<string, Tone>> = {
  accepted: 'wait',
  running: 'busy',
  completed: 'ok',
  failed: 'bad',
  cancelled: 'idle',
}
export const jobTone = (state: string): Tone => jobTones[state] ?? 'idle'

const orderTones: Readonly<Record<string, Tone>> = {
  denied: 'bad',
  rejected: 'bad',
  filled: 'ok',
  partially_filled: 'busy',
  new: 'busy',
  held: 'warn',
  suspended: 'warn',
  canceled: 'idle',
  expired: 'idle',
  replaced: 'idle',
}
export const orderTone = (status: string): Tone => orderTones[status] ?? 'wait'

const severityTones: Readonly<Record<string, Tone>> = {
  critical: 'bad',
  high: 'bad',
  medium: 'warn',
  low: 'idle',
}
export const severityTone = (severity: string): Tone => severityTones[severity] ?? 'warn'

/** A word of the API, as people write it. */
export const words = (name: string): string => name.replaceAll('_', ' ').toLowerCase()
