import { sleep } from 'k6'
import { SharedArray } from 'k6/data'
import http from 'k6/http'
import { Counter, Trend } from 'k6/metrics'
import { fieldDrawer, pathDrawer } from '../lib/draw-fields.ts'
import {
  type ClassFilter,
  classesOf,
  everyClass,
  type Profile,
  type ResolvedClass,
  type Task,
  taskOf,
  taskPicker,
} from '../lib/profile.ts'
import { type K6Options, untimed } from '../lib/workloads.ts'

export const profile: Profile = JSON.parse(open(import.meta.resolve('../profile.json')))

// Each by itself: k6 looks up what is imported, and what is in an object of its own, for every use.
const { random } = Math
const { stringify } = JSON
const { request, expectedStatuses } = http
const pause = sleep

const host = __ENV['HOST'] ?? 'http://127.0.0.1:8080/v1'
const tokensFile = __ENV['TOKENS_FILE'] ?? ''
const ownCancels = __ENV['OWN_CANCELS'] === '1'
/** A request without an answer is over then: a server that hangs must not hold its user for good. */
const timeout = __ENV['TIMEOUT'] ?? '60s'

/** One a line. Shared by all users: each of a thousand would keep its own copy. */
const tokens = new SharedArray('tokens', () =>
  tokensFile === ''
    ? ['']
    : open(tokensFile)
        .split('\n')
        .filter((line) => line !== ''),
)

/** A throw in an iteration fails nothing by itself, and skips its pause. */
const taskExceptions = new Counter('task_exceptions')
/** k6 holds no size of an answer for each request. */
const contentBytes = new Trend('content_bytes')

type Played = {
  readonly pick: (drawn: number) => string
  readonly waitMin: number
  readonly waitSpread: number
}

const classes = new Map<string | undefined, Played>(
  [
    ...classesOf(profile, everyClass),
    ...classesOf(profile, { ...everyClass, names: abstract() }),
  ].map((one) => [one.name, playedOf(one)]),
)

function playedOf({ tasks, wait }: ResolvedClass): Played {
  const [from, to] = wait
  return { pick: taskPicker(tasks), waitMin: from, waitSpread: to - from }
}

function abstract(): string[] {
  return profile.classes.flatMap(({ name, abstract }) => (abstract === true ? [name] : []))
}

/** Which classes run, as the launcher was asked. */
export function classFilter(): ClassFilter {
  const list = (name: string) => (__ENV[name] ?? '').split(',').filter((one) => one !== '')
  return {
    names: list('CLASSES'),
    tags: list('TAGS'),
    excludedTags: list('EXCLUDE_TAGS'),
    isEqual: __ENV['EQUAL_WEIGHTS'] === '1',
  }
}

const kept = classesOf(profile, classFilter())
const filtered = new Map<string | undefined, Played>(kept.map((one) => [one.name, playedOf(one)]))

/** Ids of this user's orders that may rest, oldest first. */
const resting: string[] = []

/** One task of the class that the scenario is of, and its pause. */
export function user(): void {
  const name = __ENV['CLASS']
  const played = filtered.get(name) ?? classes.get(name)
  if (played === undefined) throw new Error(`no class is called ${name}`)
  try {
    act(played.pick(random()))
  } catch (error) {
    taskExceptions.add(1)
    console.error(String(error))
  } finally {
    pause(played.waitMin + random() * played.waitSpread)
  }
}

/** A task of a class by its part of the whole load, without a pause: the rate is the scenario's. */
export function anyone(): void {
  try {
    mixed ??= taskPicker(mixOf(kept))
    act(mixed(random()))
  } catch (error) {
    taskExceptions.add(1)
    console.error(String(error))
  }
}

/** Each task by how often all users together do it. */
let mixed: ((drawn: number) => string) | undefined

function mixOf(all: readonly ResolvedClass[]): Record<string, number> {
  const mixed: Record<string, number> = {}
  for (const { weight, wait, tasks } of all) {
    const each = weight / ((wait[0] + wait[1]) / 2)
    const sum = Object.values(tasks).reduce((total, one) => total + one, 0)
    for (const [task, one] of Object.entries(tasks)) {
      mixed[task] = (mixed[task] ?? 0) + (each * one) / sum
    }
  }
  return mixed
}

type Act = () => void
const acts = new Map<string, Act>()

function act(name: string): void {
  let known = acts.get(name)
  if (known === undefined) {
    known = actOf(taskOf(profile, name))
    acts.set(name, known)
  }
  known()
}

/** Made when a user first does it: what is the same for each request is made once. */
function actOf(task: Task): Act {
  const path = pathDrawer(task, profile.symbols, random)
  const send = sender(task)
  if (task.body === undefined) return () => void send(path(), null)
  const body = fieldDrawer(task.body, profile.symbols, random)
  return () => {
    const filled = body()
    const answer = send(path(), stringify(filled))
    if (ownCancels && filled['order_type'] === 'limit' && answer.status === 201) rest(answer)
  }
}

const cancelOwn = sender({ ...profile.ownCancels, method: 'DELETE' })

function rest(answer: { json(selector: string): unknown }): void {
  const id = answer.json('id')
  const status = answer.json('status')
  if (typeof id !== 'string' || status === 'denied') return
  resting.push(id)
  if (resting.length > profile.ownCancels.restingMax) cancelOwn(`/orders/${resting.shift()}`, null)
}

type Sent = Pick<Task, 'method' | 'name' | 'accepted'>

/** `name` stands for the address, or each id would be a time series. */
export function sender({ method, name, accepted }: Sent) {
  const authorization = `Bearer ${tokens[(__VU - 1) % tokens.length] ?? ''}`
  const counted = { name, method }
  const usual = {
    headers: { authorization },
    timeout,
    tags: { name },
    responseCallback: expectedStatuses(...accepted),
  }
  return (path: string, body: string | null) => {
    const answer = request(method, host + path, body, body === null ? usual : keyed(usual))
    const text = answer.body
    contentBytes.add(typeof text === 'string' ? text.length : 0, counted)
    return answer
  }
}

function keyed<Params extends { readonly headers: { readonly authorization: string } }>(
  usual: Params,
) {
  const headers = {
    authorization: usual.headers.authorization,
    'content-type': 'application/json',
    'idempotency-key': `"${crypto.randomUUID()}"`,
  }
  return { ...usual, headers }
}

/**
 * k6 reads the options of the script's first run alone; each user runs the script once more. Where the
 * launcher judges response times k6 has no limits for them.
 */
export function once(options: () => K6Options): K6Options | undefined {
  if (__VU !== 0) return undefined
  return __ENV['JUDGED'] === '1' ? untimed(options()) : options()
}

/** A number from the environment, or what is usual. */
export function setting(name: string, usual: number): number {
  const text = __ENV[name]
  return text === undefined ? usual : Number(text)
}
