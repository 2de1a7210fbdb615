import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Field,
  type Fields,
  type Profile,
  type Task,
  taskOf,
  type UserClass,
} from './lib/profile.ts'
import { readProfile } from './read-profile.ts'

/**
 * Makes `trading_load.py` of the profile, for a real Locust:
 *
 *   bun test/load/generate-locust.ts
 */
export const locustFile = join(import.meta.dir, 'trading_load.py')

export function locustSource(profile: Profile): string {
  const classes = profile.classes.map((one) => classSource(profile, one))
  return `${[prelude(profile), ...classes, gatesSource].join('\n\n\n')}\n`
}

function prelude({ symbols, gates }: Profile): string {
  return `"""The load of profile.json for Locust; made by generate-locust.ts, not by hand.

    TOKENS_FILE=tokens.txt locust -f trading_load.py -H http://127.0.0.1:8080/v1 -u 100 -r 10 -t 2m --headless

TOKENS_FILE holds one bearer token a line; users take turns with them.
"""

import itertools
import os
import random
import uuid

from locust import between, events, tag, task
from locust.contrib.fasthttp import FastHttpUser
from locust.exception import RescheduleTask

SYMBOLS = ${python(symbols)}
FAILURE_RATIO_MAX = ${gates.failureRatioMax}
P99_MS_MAX = ${gates.p99MsMax}


def read_tokens():
    path = os.environ.get("TOKENS_FILE", "")
    if path == "":
        return [""]
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().split("\\n") if line != ""]


TOKENS = itertools.cycle(read_tokens())


class Caller(FastHttpUser):
    abstract = True

    def on_start(self):
        self.token = next(TOKENS)

    def send(self, method, path, name, accepted, query=None, body=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Idempotency-Key"] = f'"{uuid.uuid4()}"'
        with self.client.request(
            method, path, name=name, params=query, json=body, headers=headers, catch_response=True
        ) as response:
            if response.status_code in accepted:
                response.success()
                return
            response.failure(f"Status: {response.status_code}")
            if response.status_code == 429:
                raise RescheduleTask()`
}

function classSource(profile: Profile, one: UserClass): string {
  const members = [
    ...(one.abstract === true ? ['    abstract = True'] : []),
    `    weight = ${one.weight}`,
    ...(one.wait === undefined ? [] : [`    wait_time = between(${one.wait.join(', ')})`]),
  ]
  const tasks = Object.entries(one.tasks ?? {}).map(([name, weight]) =>
    taskSource(name, weight, taskOf(profile, name)),
  )
  const head = `class ${one.name}(${one.extends ?? 'Caller'}):\n${members.join('\n')}`
  return [head, ...tasks].join('\n\n')
}

function taskSource(name: string, weight: number, one: Task): string {
  const path = one.params === undefined ? python(one.path) : `${python(one.path)}.format(**params)`
  const lines = [
    ...fieldsSource('params', one.params),
    ...fieldsSource('query', one.query),
    ...fieldsSource('body', one.body),
    `self.send(${[
      ...[python(one.method), path, python(one.name), `(${one.accepted.join(', ')},)`],
      ...(one.query === undefined ? [] : ['query=query']),
      ...(one.body === undefined ? [] : ['body=body']),
    ].join(', ')})`,
  ]
  return [
    `    @tag(${one.tags.map((tag) => python(tag)).join(', ')})`,
    `    @task(${weight})`,
    `    def ${name}(self):`,
    ...lines.map((line) => `        ${line}`),
  ].join('\n')
}

function fieldsSource(variable: string, fields: Fields | undefined): string[] {
  if (fields === undefined) return []
  const lines = [`${variable} = {}`]
  for (const [name, field] of Object.entries(fields)) {
    const conditions = typeof field === 'object' && 'cents' in field ? (field.when ?? {}) : {}
    const tests = Object.entries(conditions).map(
      ([other, value]) => `${variable}[${python(other)}] == ${python(value)}`,
    )
    const line = `${variable}[${python(name)}] = ${fieldSource(field)}`
    lines.push(...(tests.length === 0 ? [line] : [`if ${tests.join(' and ')}:`, `    ${line}`]))
  }
  return lines
}

function fieldSource(field: Field): string {
  if (typeof field !== 'object') return python(field)
  if ('oneOf' in field) {
    return `random.choice(${field.oneOf === 'symbols' ? 'SYMBOLS' : python(field.oneOf)})`
  }
  if ('cents' in field) return `round(random.uniform(${field.cents.join(', ')}), 2)`
  const drawn = `random.randint(${field.integer.join(', ')})`
  return field.prefix === undefined ? drawn : `f"${field.prefix}{${drawn}}"`
}

/** JSON of texts, numbers and lists of them is Python as well. */
function python(value: string | number | readonly string[]): string {
  return JSON.stringify(value).replaceAll('","', '", "')
}

const gatesSource = `@events.quitting.add_listener
def judge(environment, **kwargs):
    total = environment.stats.total
    failed = total.fail_ratio >= FAILURE_RATIO_MAX
    slow = total.get_response_time_percentile(0.99) >= P99_MS_MAX
    if total.num_requests == 0 or failed or slow:
        environment.process_exit_code = 1
    else:
        environment.process_exit_code = 0`

if (import.meta.main) writeFileSync(locustFile, locustSource(readProfile()))
