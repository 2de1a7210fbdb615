/** Whom the load plays: classes of users with waits, and tasks by weight. No imports: k6 reads this. */
export type Profile = {
  readonly symbols: readonly string[]
  readonly gates: { readonly failureRatioMax: number; readonly p99MsMax: number }
  readonly classes: readonly UserClass[]
  readonly tasks: Readonly<Record<string, Task>>
  readonly ownCancels: OwnCancels
}

/** What a class leaves out it has from the one that it extends. */
export type UserClass = {
  readonly name: string
  readonly abstract?: boolean | undefined
  readonly extends?: string | undefined
  readonly weight: number
  /** Seconds, uniform between the two. */
  readonly wait?: readonly [number, number] | undefined
  readonly tasks?: Readonly<Record<string, number>> | undefined
}

export type Task = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** Under which its requests are counted. */
  readonly name: string
  readonly tags: readonly string[]
  readonly params?: Fields | undefined
  readonly query?: Fields | undefined
  readonly body?: Fields | undefined
  readonly accepted: readonly number[]
}

export type Fields = Readonly<Record<string, Field>>

/** A value that is always the same, or how one is drawn. */
export type Field = string | number | OneOf | WholeNumber | Cents
export type OneOf = { readonly oneOf: 'symbols' | readonly string[] }
export type WholeNumber = {
  readonly integer: readonly [number, number]
  readonly prefix?: string | undefined
}
/** A price of two decimals; with `when` only where what was drawn before is as it says. */
export type Cents = {
  readonly cents: readonly [number, number]
  readonly when?: Readonly<Record<string, string>> | undefined
}

/** Beyond Locust's cancels of random ids: a user that rests more orders cancels its oldest. */
export type OwnCancels = {
  readonly restingMax: number
  readonly name: string
  readonly accepted: readonly number[]
}

/** A class with everything that it inherits, and its tasks by name. */
export type ResolvedClass = {
  readonly name: string
  readonly weight: number
  readonly wait: readonly [number, number]
  readonly tasks: Readonly<Record<string, number>>
}

export type ClassFilter = {
  /** Only these, abstract ones too; empty: all that are not abstract. */
  readonly names: readonly string[]
  readonly tags: readonly string[]
  readonly excludedTags: readonly string[]
  readonly isEqual: boolean
}

export const everyClass: ClassFilter = { names: [], tags: [], excludedTags: [], isEqual: false }

/** The classes that run; throws for a name that the profile does not have. */
export function classesOf(profile: Profile, filter: ClassFilter): readonly ResolvedClass[] {
  for (const name of filter.names) findClass(profile, name)
  const chosen = profile.classes.filter((one) =>
    filter.names.length === 0 ? one.abstract !== true : filter.names.includes(one.name),
  )
  return chosen.map((one) => {
    const { wait, tasks } = inherited(profile, one)
    const kept = Object.entries(tasks).filter(([name]) => isTagged(profile, name, filter))
    const weight = filter.isEqual ? 1 : one.weight
    return { name: one.name, weight, wait, tasks: Object.fromEntries(kept) }
  })
}

function findClass(profile: Profile, name: string): UserClass {
  const found = profile.classes.find((one) => one.name === name)
  if (found === undefined) throw new Error(`the profile has no class ${name}`)
  return found
}

function inherited(profile: Profile, one: UserClass): Pick<ResolvedClass, 'wait' | 'tasks'> {
  const parent = one.extends === undefined ? undefined : findClass(profile, one.extends)
  const above = parent === undefined ? undefined : inherited(profile, parent)
  const wait = one.wait ?? above?.wait
  const tasks = one.tasks ?? above?.tasks
  if (wait === undefined || tasks === undefined) {
    throw new Error(`the class ${one.name} has no wait or no tasks`)
  }
  return { wait, tasks }
}

function isTagged(profile: Profile, task: string, filter: ClassFilter): boolean {
  const { tags } = taskOf(profile, task)
  const isIn = filter.tags.length === 0 || filter.tags.some((tag) => tags.includes(tag))
  return isIn && !filter.excludedTags.some((tag) => tags.includes(tag))
}

export function taskOf(profile: Profile, name: string): Task {
  const task = profile.tasks[name]
  if (task === undefined) throw new Error(`the profile has no task ${name}`)
  return task
}

/** Uniform from the tasks, each as often as its weight; what is drawn is from 0 up to 1. */
export function taskPicker(tasks: Readonly<Record<string, number>>): (drawn: number) => string {
  const names = Object.keys(tasks)
  let sum = 0
  const ends = names.map((name) => (sum += tasks[name] ?? 0))
  return (drawn) => {
    let at = 0
    while (at < ends.length && drawn * sum >= (ends[at] ?? 0)) at++
    const name = names[at]
    if (name === undefined) throw new Error('a class without a task has nobody to play')
    return name
  }
}
