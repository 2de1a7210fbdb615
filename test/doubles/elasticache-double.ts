import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { type FaultServer, faultServer } from './fault-server.ts'

export type ElastiCacheDoubleUser = {
  readonly name: string
  accessString: string
  groups: readonly string[]
  status: 'active' | 'modifying' | 'deleting'
  passwords: readonly string[]
  /** Looks until a change has reached the server. */
  looksLeft: number
}

export type ElastiCacheDouble = FaultServer & {
  /** By user id. */
  readonly users: Map<string, ElastiCacheDoubleUser>
  readonly called: string[]
  /** Looks that a change takes from now on. */
  slowness: number
  /** Puts a user there, active, on the server too. */
  add(
    id: string,
    user: Pick<ElastiCacheDoubleUser, 'name' | 'accessString' | 'passwords'>,
  ): Promise<void>
}

class Refusal extends Error {
  readonly code: string
  readonly status: number
  constructor(code: string, status: number) {
    super(code)
    this.code = code
    this.status = status
  }
}

const passwordForm = /^[!-~]{16,128}$/
const group = 'desk'

/**
 * Users of ElastiCache over its own protocol (AWS query, version 2015-02-02), signed requests only,
 * in front of a Redis server whose ACL they are: who is let in is the server's own verdict.
 */
export function elastiCacheDouble(admin: Redis): ElastiCacheDouble {
  const users = new Map<string, ElastiCacheDoubleUser>()
  const called: string[] = []

  function found(id: string): ElastiCacheDoubleUser {
    const user = users.get(id)
    if (user === undefined) throw new Refusal('UserNotFound', 404)
    return user
  }

  async function reach(user: ElastiCacheDoubleUser): Promise<void> {
    const hashes = user.passwords.map(
      (password) => `#${createHash('sha256').update(password).digest('hex')}`,
    )
    await admin.call(
      'ACL',
      'SETUSER',
      user.name,
      'reset',
      ...hashes,
      ...user.accessString.split(' '),
    )
    user.status = 'active'
  }

  async function describe(form: URLSearchParams): Promise<string> {
    const id = form.get('UserId') ?? ''
    const user = found(id)
    if (user.status === 'modifying') {
      user.looksLeft -= 1
      if (user.looksLeft <= 0) await reach(user)
    }
    return `<DescribeUsersResult><Users><member>${described(id, user)}</member></Users></DescribeUsersResult>`
  }

  async function modify(form: URLSearchParams): Promise<string> {
    const id = form.get('UserId') ?? ''
    const user = found(id)
    if (user.status !== 'active') throw new Refusal('InvalidUserState', 400)
    const passwords = [1, 2].flatMap(
      (at) => form.get(`AuthenticationMode.Passwords.member.${at}`) ?? [],
    )
    if (form.get('AuthenticationMode.Type') !== 'password' || passwords.length === 0) {
      throw new Refusal('InvalidParameterCombination', 400)
    }
    const isTaken = passwords.every((password) => passwordForm.test(password))
    if (!isTaken) throw new Refusal('InvalidParameterValue', 400)
    const change = { accessString: form.get('AccessString') ?? user.accessString, passwords }
    Object.assign(user, { ...change, status: 'modifying', looksLeft: double.slowness })
    return `<ModifyUserResult>${described(id, user)}</ModifyUserResult>`
  }

  async function serve(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text())
    const action = form.get('Action') ?? ''
    try {
      refuseUnsigned(request, form)
      called.push(action)
      if (action === 'DescribeUsers') return answer(action, await describe(form))
      if (action === 'ModifyUser') return answer(action, await modify(form))
      throw new Refusal('InvalidAction', 400)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return failure(error.code, error.status, form.toString())
    }
  }

  const double: ElastiCacheDouble = Object.assign(faultServer(serve), {
    ...{ users, called, slowness: 2 },
    async add(
      id: string,
      user: Pick<ElastiCacheDoubleUser, 'name' | 'accessString' | 'passwords'>,
    ) {
      const added: ElastiCacheDoubleUser = {
        ...user,
        ...{ groups: [group], status: 'active', looksLeft: 0 },
      }
      users.set(id, added)
      await reach(added)
    },
  })
  return double
}

function refuseUnsigned({ method, headers }: Request, form: URLSearchParams): void {
  const authorization = headers.get('authorization') ?? ''
  const isSigned = /^AWS4-HMAC-SHA256 Credential=\S+\/elasticache\/aws4_request, /.test(
    authorization,
  )
  if (!isSigned) throw new Refusal('MissingAuthenticationToken', 403)
  if (method !== 'POST' || form.get('Version') !== '2015-02-02')
    throw new Refusal('InvalidAction', 400)
}

function described(
  id: string,
  { name, status, accessString, groups, passwords }: ElastiCacheDoubleUser,
) {
  const members = groups.map((one) => `<member>${one}</member>`).join('')
  return (
    `<UserId>${id}</UserId><UserName>${name}</UserName><Status>${status}</Status>` +
    `<Engine>redis</Engine><AccessString>${escaped(accessString)}</AccessString>` +
    `<UserGroupIds>${members}</UserGroupIds><Authentication><Type>password</Type>` +
    `<PasswordCount>${passwords.length}</PasswordCount></Authentication>` +
    `<ARN>arn:aws:elasticache:eu-central-1:123456789012:user:${id}</ARN>`
  )
}

const namespace = 'xmlns="http://elasticache.amazonaws.com/doc/2015-02-02/"'
const headers = { 'content-type': 'text/xml' }

function answer(action: string, result: string): Response {
  const id = `<ResponseMetadata><RequestId>${crypto.randomUUID()}</RequestId></ResponseMetadata>`
  return new Response(`<${action}Response ${namespace}>${result}${id}</${action}Response>`, {
    headers,
  })
}

/** Repeats the request in its message, as AWS may: nobody here is to pass it on. */
function failure(code: string, status: number, asked: string): Response {
  const body =
    `<ErrorResponse ${namespace}><Error><Type>Sender</Type><Code>${code}</Code>` +
    `<Message>${escaped(asked)}</Message></Error><RequestId>x</RequestId></ErrorResponse>`
  return new Response(body, { status, headers })
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

/** An answer of AWS that says so. */
export function elastiCacheFailure(code: string, status: number) {
  const body = `<ErrorResponse ${namespace}><Error><Type>Sender</Type><Code>${code}</Code><Message>m</Message></Error></ErrorResponse>`
  return { kind: 'answer', status, headers, body } as const
}
