import { type Profile, type ResolvedClass, taskOf } from './profile.ts'

/** Requests a second by request name that users offer when nobody makes them wait. */
export function offeredLoad(
  profile: Profile,
  classes: readonly ResolvedClass[],
  shares: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const load = new Map<string, number>()
  for (const { name, wait, tasks } of classes) {
    const each = (shares.get(name) ?? 0) / ((wait[0] + wait[1]) / 2)
    const weights = Object.values(tasks).reduce((sum, weight) => sum + weight, 0)
    for (const [task, weight] of Object.entries(tasks)) {
      const request = taskOf(profile, task).name
      load.set(request, (load.get(request) ?? 0) + (each * weight) / weights)
    }
  }
  return load
}
