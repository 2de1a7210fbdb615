import { Counter } from 'k6/metrics'
import { drawFields } from '../lib/draw-fields.ts'
import { taskOf } from '../lib/profile.ts'
import { profile, send } from './user.ts'

export { profile }

/** 2xx is what came of the load; 429 and 503 were refused before work was done. */
const goodput = new Counter('goodput')
const refused = new Counter('refused')
const errors = new Counter('errors')
const task = taskOf(profile, 'submit_order')
/** Whatever is answered is counted here and is no failure of the run. */
const everything = [200, 201, 429, 503]

export function orders(): void {
  const body = drawFields(task.body ?? {}, profile.symbols, Math.random)
  const asked = { method: task.method, name: task.name, accepted: everything }
  const { status } = send(asked, task.path, JSON.stringify(body))
  if (status >= 200 && status < 300) goodput.add(1)
  else if (status === 429 || status === 503) refused.add(1)
  else errors.add(1, { status: String(status) })
}
