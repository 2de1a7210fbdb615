import { fieldDrawer } from '../lib/draw-fields.ts'
import { taskOf } from '../lib/profile.ts'
import { profile, sender } from './user.ts'

const task = taskOf(profile, 'submit_order')
const body = fieldDrawer(task.body ?? {}, profile.symbols, Math.random)
const send = sender(task)

/** What is not 2xx is a failure here: the step is judged by what it came to. */
export function orders(): void {
  send(task.path, JSON.stringify(body()))
}
