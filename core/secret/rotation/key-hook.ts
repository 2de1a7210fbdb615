import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { isMemberName } from '../secret-reference.ts'
import type { SecretMembers } from '../secret-store.ts'
import { type StoreAnswer, storeHttp } from '../store-http.ts'
import { targetRefused } from './login-pair.ts'

/** Bytes of what `create` answers: a document has room for it beside what it holds already. */
const createdBytesMax = 16_384

export type KeyHookOptions = {
  readonly url: string
  /** Bearer token of the hook itself. */
  readonly token: string | undefined
  /** The secret's name. */
  readonly name: string
  /** The member that `create` has to answer. */
  readonly member: string
  readonly requestMsMax?: number
}

/**
 * Whoever makes, tries and ends keys for us, over HTTP. Each call is a `POST` of JSON with a bearer
 * token, and may come more than once. `secret` is the name of the secret.
 *
 * - `{"action":"create","secret","rotation","urgent"}`, with `Idempotency-Key: <rotation>`: makes a
 *   key beside the one in force and answers `{"members":{…}}`; for the same rotation always the
 *   same. These members take the place of those of the version before.
 * - `{"action":"test","secret","members"}`: answers `{"accepted":true}` if the key is let in and may
 *   do all that the one before it may.
 * - `{"action":"retire","secret","members"}`: ends this key; 2xx once it has, also for one that has
 *   ended already.
 * - `{"action":"probe","secret","members"}`: answers `{"accepted":false}` once the key is refused.
 *
 * 4xx is final; 408, 429, 5xx and no answer within 10 s are tried again. Redirects are not followed.
 */
export type KeyHook = {
  create(plan: { readonly rotation: string; readonly isUrgent: boolean }): Promise<SecretMembers>
  accepts(action: 'test' | 'probe', members: SecretMembers): Promise<boolean>
  retire(members: SecretMembers): Promise<void>
}

type Asked =
  | { readonly action: 'create'; readonly rotation: string; readonly urgent: boolean }
  | { readonly action: 'test' | 'probe' | 'retire'; readonly members: SecretMembers }

const createdSchema = z.strictObject({
  members: z
    .record(z.string(), z.string().min(1))
    .refine((members) => Object.keys(members).every((name) => isKept(name)))
    .refine((members) => Buffer.byteLength(JSON.stringify(members)) <= createdBytesMax),
})
const acceptedSchema = z.strictObject({ accepted: z.boolean() })

/** `rotation` is a member that the store keeps for itself. */
const isKept = (name: string) => isMemberName(name) && name !== 'rotation'

export function keyHook(options: KeyHookOptions): KeyHook {
  const { url, token, name: secret, member, requestMsMax } = options
  const call = storeHttp(requestMsMax === undefined ? {} : { requestMsMax })

  async function ask(asked: Asked, headers = {}): Promise<StoreAnswer> {
    const { action } = asked
    const body = { ...asked, secret }
    const login = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const request = { method: 'POST', url, headers: { ...login, ...headers }, body } as const
    const answer = await call(request).catch(rethrowAsTarget)
    const { status } = answer
    if (status === 408) throw unavailable(`${secret}: the hook answered 408`)
    if (status < 200 || status > 299) {
      throw targetRefused(`the hook answered ${action} of ${secret} with ${status}`)
    }
    return answer
  }

  function parsed<Answer>(
    action: string,
    schema: z.ZodType<Answer>,
    { body }: StoreAnswer,
  ): Answer {
    const { data } = schema.safeParse(body)
    if (data !== undefined) return data
    // Without what was answered: it may hold the key.
    throw targetRefused(`the hook’s answer to ${action} of ${secret} is not of the protocol`)
  }

  return {
    async create({ rotation, isUrgent: urgent }) {
      const asked = { action: 'create', rotation, urgent } as const
      const answer = await ask(asked, { 'idempotency-key': rotation })
      const { members } = parsed('create', createdSchema, answer)
      if (members[member] !== undefined) return members
      throw targetRefused(`the hook’s answer to create of ${secret} has no member ${member}`)
    },
    async accepts(action, members) {
      const answer = await ask({ action, members })
      return parsed(action, acceptedSchema, answer).accepted
    },
    async retire(members) {
      await ask({ action: 'retire', members })
    },
  }
}

/** What the client of the stores calls an outage is one of the target here. */
function rethrowAsTarget(error: unknown): never {
  if (!(error instanceof PosternError)) throw error
  throw unavailable(error.message, error)
}

function unavailable(reason: string, cause?: PosternError): PosternError {
  const seconds = cause?.retryAfterSeconds
  return new PosternError('secret.target_unavailable', {
    reason: `the hook of the key: ${reason}`,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
    cause,
  })
}
