import { drawFields } from '../lib/draw-fields.ts'
import { taskOf } from '../lib/profile.ts'
import { profile, send } from './user.ts'

const task = taskOf(profile, 'submit_order')

/** What is not 2xx is a failure here: the step is judged by what it came to. */
export function orders(): void {
  const body = drawFields(task.body ?? {}, profile.symbols, Math.random)
  send(task, task.path, JSON.stringify(body))
}
