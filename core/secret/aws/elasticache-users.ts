import type { ElastiCacheClient, ModifyUserCommandInput } from '@aws-sdk/client-elasticache'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { retryAfterOf } from '../../reading/retry-after.ts'
import { type AwsClientOptions, awsClientSettings, withinCall } from './aws-client.ts'

/** Milliseconds that a change may take until every node has it; usually seconds. */
const changeMsMaxDefault = 120_000
const pollMsDefault = 1_000

/** A user of ElastiCache, as its API tells of it. */
export type ElastiCacheUser = {
  readonly id: string
  readonly name: string
  /** `active`, `modifying` or `deleting`. */
  readonly status: string
  readonly accessString: string
  readonly groups: readonly string[]
}

export type ElastiCacheChange = { readonly accessString: string; readonly password: string }

/**
 * Users of ElastiCache, whose ACL is the cloud's. Throw `secret.target_refused` for a user that is
 * not there and for what the API will never take, and `secret.target_unavailable` for the rest; no
 * error holds what was sent or answered.
 */
export type ElastiCacheUsers = {
  /** Not before the last change of it has reached every node. */
  settled(id: string): Promise<ElastiCacheUser>
  /** Puts its rules and its only password in place of those it has; on every node when it resolves. */
  change(id: string, change: ElastiCacheChange): Promise<void>
}

export type ElastiCacheUsersOptions = AwsClientOptions & {
  readonly pollMs?: number
  readonly changeMsMax?: number
}

const userSchema = z.object({
  UserId: z.string(),
  UserName: z.string(),
  Status: z.string(),
  AccessString: z.string(),
  UserGroupIds: z.array(z.string()).default([]),
})

export function elastiCacheUsers(options: ElastiCacheUsersOptions): ElastiCacheUsers {
  const { pollMs = pollMsDefault, changeMsMax = changeMsMaxDefault } = options
  let opening: ReturnType<typeof openSdk> | undefined

  async function call<Answer>(
    action: string,
    send: (sdk: Sdk, within: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      opening ??= openSdk(options)
      const sdk = await opening
      return await withinCall((within) => send(sdk, within))
    } catch (error) {
      throw failureOf(action, error)
    }
  }

  async function describe(id: string): Promise<ElastiCacheUser> {
    const { Users = [] } = await call('DescribeUsers', ({ client, DescribeUsersCommand }, within) =>
      client.send(new DescribeUsersCommand({ UserId: id }), within),
    )
    const { data: user } = userSchema.safeParse(Users[0])
    if (user?.UserId !== id) throw unavailable('DescribeUsers', 'no answer of its API')
    const { UserName: name, Status: status, AccessString: accessString } = user
    return { id, name, status, accessString, groups: user.UserGroupIds }
  }

  async function settled(id: string): Promise<ElastiCacheUser> {
    const endsAt = performance.now() + changeMsMax
    for (;;) {
      const user = await describe(id)
      if (user.status === 'active') return user
      if (user.status !== 'modifying') throw refused(`the user ${id} is ${user.status}`)
      if (performance.now() >= endsAt) throw unavailable('ModifyUser', `${id} is still modifying`)
      await Bun.sleep(pollMs)
    }
  }

  return {
    settled,
    async change(id, { accessString, password }) {
      await settled(id)
      const input: ModifyUserCommandInput = {
        ...{ UserId: id, AccessString: accessString },
        AuthenticationMode: { Type: 'password', Passwords: [password] },
      }
      await call('ModifyUser', ({ client, ModifyUserCommand }, within) =>
        client.send(new ModifyUserCommand(input), within),
      )
      await settled(id)
    },
  }
}

type Sdk = Awaited<ReturnType<typeof openSdk>>

async function openSdk(options: AwsClientOptions) {
  // Nobody whose Redis is elsewhere waits for it.
  const { DescribeUsersCommand, ElastiCacheClient, ModifyUserCommand } = await import(
    '@aws-sdk/client-elasticache'
  )
  const client: ElastiCacheClient = new ElastiCacheClient(awsClientSettings(options))
  return { client, DescribeUsersCommand, ModifyUserCommand }
}

const failureSchema = z.object({
  name: z.string(),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional(),
  $response: z.object({ headers: z.record(z.string(), z.string()) }).optional(),
})

/** What another try would not change; the suffix is the SDK's. */
const final: ReadonlySet<string> = new Set([
  'DefaultUserRequired',
  'InvalidParameterCombinationException',
  'InvalidParameterValueException',
  'UserNotFoundFault',
])
const throttled = /^(?:Throttling|RequestLimitExceeded|TooManyRequests)/

function failureOf(action: string, error: unknown): PosternError {
  if (error instanceof PosternError) return error
  const { data } = failureSchema.safeParse(error)
  if (data === undefined) return unavailable(action, 'no answer of its API')
  const { name, $metadata: metadata, $response: response } = data
  if (final.has(name)) return refused(`AWS ${action}: ${name}`)
  const seconds = retryAfterOf(new Headers(response?.headers))
  if (throttled.test(name) || metadata?.httpStatusCode === 429) {
    return unavailable(action, 'throttled', seconds)
  }
  if (name === 'InvalidUserStateFault') return unavailable(action, 'the user is being changed')
  if (/^AccessDenied/.test(name)) return unavailable(action, `the role lacks elasticache:${action}`)
  // The name of a class of errors; a message may repeat the request.
  return unavailable(action, /^[A-Za-z]{1,64}$/.test(name) ? name : 'no answer of its API', seconds)
}

function refused(reason: string): PosternError {
  return new PosternError('secret.target_refused', { reason })
}

function unavailable(action: string, reason: string, seconds?: number): PosternError {
  return new PosternError('secret.target_unavailable', {
    reason: `AWS ${action}: ${reason}`,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  })
}
