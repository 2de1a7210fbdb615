import { z } from 'zod'
import { type FaultServer, faultServer } from './fault-server.ts'

const bodySchema = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('create'),
    secret: z.string(),
    rotation: z.uuid(),
    urgent: z.boolean(),
  }),
  z.strictObject({
    action: z.enum(['test', 'retire', 'probe']),
    secret: z.string(),
    members: z.looseObject({ id: z.string(), key: z.string() }),
  }),
])

export type KeyHookDouble = FaultServer & {
  /** The id of each key that is let in, with the key. */
  readonly keys: Map<string, string>
  readonly called: string[]
}

/** A provider's keys behind a hook: one key a rotation, however often it is asked for. */
export function keyHookDouble(token: string): KeyHookDouble {
  const keys = new Map<string, string>()
  const made = new Map<string, { readonly id: string; readonly key: string }>()
  const called: string[] = []

  function create(rotation: string, headers: Headers): Response {
    if (headers.get('idempotency-key') !== rotation) return new Response(null, { status: 400 })
    const members = made.get(rotation) ?? { id: `id-${made.size + 1}`, key: crypto.randomUUID() }
    if (!made.has(rotation)) keys.set(members.id, members.key)
    made.set(rotation, members)
    return Response.json({ members })
  }

  async function serve(request: Request): Promise<Response> {
    const { headers, method } = request
    if (method !== 'POST') return new Response(null, { status: 405 })
    if (headers.get('authorization') !== `Bearer ${token}`) {
      return new Response(null, { status: 401 })
    }
    const body = bodySchema.parse(await request.json())
    called.push(body.action)
    if (body.action === 'create') return create(body.rotation, headers)
    const { id, key } = body.members
    if (body.action === 'retire') {
      keys.delete(id)
      return new Response(null, { status: 204 })
    }
    return Response.json({ accepted: keys.get(id) === key })
  }

  return Object.assign(faultServer(serve), { keys, called })
}
