import { sleep } from 'k6'
import { SharedArray } from 'k6/data'
import exec from 'k6/execution'
import http from 'k6/http'
import { Counter, Trend } from 'k6/metrics'
import { drawFields, pathOf } from '../lib/draw-fields.ts'
import {
  type ClassFilter,
  classesOf,
  everyClass,
  type Profile,
  pickTask,
  type ResolvedClass,
  type Task,
  taskOf,
} from '../lib/profile.ts'

export const profile: Profile = JSON.parse(open(import.meta.resolve('../profile.json')))

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

const classes = new Map(
  [
    ...classesOf(profile, everyClass),
    ...classesOf(profile, { ...everyClass, names: abstract() }),
  ].map((one) => [one.name, one]),
)

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

const filtered = new Map(classesOf(profile, classFilter()).map((one) => [one.name, one]))

/** Ids of this user's orders that may rest, oldest first. */
const resting: string[] = []

/** One task of the class that the scenario is called by, and its pause. */
export function user(): void {
  const played = filtered.get(exec.scenario.name) ?? classes.get(exec.scenario.name)
  if (played === undefined) throw new Error(`no class is called ${exec.scenario.name}`)
  try {
    act(pickTask(played.tasks, Math.random()))
  } catch (error) {
    taskExceptions.add(1)
    console.error(String(error))
  } finally {
    const [from, to] = played.wait
    sleep(from + Math.random() * (to - from))
  }
}

/** A task of a class by its part of the whole load, without a pause: the rate is the scenario's. */
export function anyone(): void {
  try {
    act(pickTask(mixed(), Math.random()))
  } catch (error) {
    taskExceptions.add(1)
    console.error(String(error))
  }
}

let mix: Record<string, number> | undefined

/** Each task by how often all users together do it. */
function mixed(): Record<string, number> {
  mix ??= mixOf([...filtered.values()])
  return mix
}

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

function act(name: string): void {
  const task = taskOf(profile, name)
  const drawn = (fields: Task['query']) => drawFields(fields ?? {}, profile.symbols, Math.random)
  const path = pathOf(task.path, drawn(task.params), drawn(task.query))
  const body = task.body === undefined ? null : drawn(task.body)
  const answer = send(task, path, body === null ? null : JSON.stringify(body))
  if (ownCancels && body?.['order_type'] === 'limit' && answer.status === 201) rest(answer)
}

function rest(answer: { json(selector: string): unknown }): void {
  const [id, status] = [answer.json('id'), answer.json('status')]
  if (typeof id !== 'string' || status === 'denied') return
  resting.push(id)
  if (resting.length <= profile.ownCancels.restingMax) return
  const oldest = resting.shift() ?? ''
  const { name, accepted } = profile.ownCancels
  send({ method: 'DELETE', name, accepted }, `/orders/${oldest}`, null)
}

type Sent = Pick<Task, 'method' | 'name' | 'accepted'>

/** `name` stands for the address, or each id would be a time series. */
export function send({ method, name, accepted }: Sent, path: string, body: string | null) {
  const headers: Record<string, string> = { authorization: `Bearer ${tokenOfUser()}` }
  if (body !== null) {
    headers['content-type'] = 'application/json'
    headers['idempotency-key'] = `"${crypto.randomUUID()}"`
  }
  const answer = http.request(method, `${host}${path}`, body, {
    headers,
    timeout,
    tags: { name },
    responseCallback: http.expectedStatuses(...accepted),
  })
  const text = answer.body
  contentBytes.add(typeof text === 'string' ? text.length : 0, { name, method })
  return answer
}

function tokenOfUser(): string {
  return tokens[(exec.vu.idInTest - 1) % tokens.length] ?? ''
}

/** A number from the environment, or what is usual. */
export function setting(name: string, usual: number): number {
  const text = __ENV[name]
  return text === undefined ? usual : Number(text)
}
