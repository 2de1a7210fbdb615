import { z } from 'zod'
import {
  type AwsSecrets,
  type AwsSecretsOptions,
  awsException,
  awsSecrets,
  isAwsException,
  labelsOf,
} from './aws-secrets.ts'
import { type FaultServer, faultServer } from './fault-server.ts'

const text = z.string()
const name = z.object({ SecretId: text })
const content = z.object({ ClientRequestToken: text, SecretString: text })
const page = z.object({ MaxResults: z.int().default(100), NextToken: text.optional() })
const bodies = {
  create: content.extend({ Name: text }),
  put: content.extend({ ...name.shape, VersionStages: z.array(text).default(['AWSCURRENT']) }),
  get: name.extend({ VersionId: text.optional() }),
  relabel: name.extend({
    VersionStage: text,
    MoveToVersionId: text.optional(),
    RemoveFromVersionId: text.optional(),
  }),
  versions: name.extend({ ...page.shape, IncludeDeprecated: z.boolean().default(false) }),
  secrets: page.extend({
    Filters: z.array(z.object({ Key: z.literal('name'), Values: z.tuple([text]) })).default([]),
  }),
}
type Action = (secrets: AwsSecrets, body: unknown) => object

const actions = new Map<string, Action>([
  [
    'CreateSecret',
    (secrets, body) => {
      const { Name, ClientRequestToken: VersionId, SecretString } = bodies.create.parse(body)
      secrets.create(Name, VersionId, SecretString)
      return { ...named(Name), VersionId }
    },
  ],
  [
    'PutSecretValue',
    (secrets, body) => {
      const { SecretId, ClientRequestToken, SecretString, VersionStages } = bodies.put.parse(body)
      secrets.put(SecretId, ClientRequestToken, SecretString, VersionStages)
      const stages = labelsOf(secrets.found(SecretId), ClientRequestToken)
      return { ...named(SecretId), VersionId: ClientRequestToken, VersionStages: stages }
    },
  ],
  [
    'GetSecretValue',
    (secrets, body) => {
      const { SecretId, VersionId } = bodies.get.parse(body)
      const { version, value, createdAtMs, labels } = secrets.read(SecretId, VersionId)
      return {
        ...{ ...named(SecretId), VersionId: version, SecretString: value },
        ...{ CreatedDate: createdAtMs / 1000, ...staged(labels) },
      }
    },
  ],
  [
    'DescribeSecret',
    (secrets, body) => {
      const { SecretId } = name.parse(body)
      const { deletedAtMs, versions, ...secret } = secrets.found(SecretId)
      const stages = [...versions.keys()].flatMap((id) => {
        const labels = labelsOf({ versions, deletedAtMs, ...secret }, id)
        return labels.length === 0 ? [] : [[id, labels] as const]
      })
      const deletion = deletedAtMs === undefined ? {} : { DeletedDate: deletedAtMs / 1000 }
      return { ...named(SecretId), VersionIdsToStages: Object.fromEntries(stages), ...deletion }
    },
  ],
  [
    'ListSecretVersionIds',
    (secrets, body) => {
      const { SecretId, IncludeDeprecated, ...asked } = bodies.versions.parse(body)
      const secret = secrets.found(SecretId)
      const all = [...secret.versions].map(([VersionId, { createdAtMs }]) => ({
        ...{ VersionId, CreatedDate: createdAtMs / 1000 },
        ...staged(labelsOf(secret, VersionId)),
      }))
      const shown = all.filter((each) => IncludeDeprecated || 'VersionStages' in each)
      const { items, ...next } = pageOf(shown, asked)
      return { ...named(SecretId), Versions: items, ...next }
    },
  ],
  [
    'UpdateSecretVersionStage',
    (secrets, body) => {
      const { SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId } =
        bodies.relabel.parse(body)
      secrets.relabel(SecretId, VersionStage, { from: RemoveFromVersionId, to: MoveToVersionId })
      return named(SecretId)
    },
  ],
  [
    'ListSecrets',
    (secrets, body) => {
      const { Filters, ...asked } = bodies.secrets.parse(body)
      const prefixes = Filters.flatMap(({ Values }) => Values)
      const shown = secrets.names().filter((each) => prefixes.every((one) => each.startsWith(one)))
      const { items, ...next } = pageOf(shown, asked)
      return { SecretList: items.map(named), ...next }
    },
  ],
])

function named(Name: string) {
  return { ARN: `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${Name}-a1B2c3`, Name }
}

/** The service leaves out what is empty. */
function staged(labels: readonly string[]) {
  return labels.length === 0 ? {} : { VersionStages: labels }
}

function pageOf<Item>(all: readonly Item[], { MaxResults, NextToken }: z.output<typeof page>) {
  const from = Number(NextToken ?? '0')
  const to = from + Math.min(MaxResults, 100)
  return { items: all.slice(from, to), ...(to < all.length ? { NextToken: String(to) } : {}) }
}

export type AwsDouble = FaultServer & {
  readonly secrets: AwsSecrets
  /** The actions that were called, without those that were struck. */
  readonly called: string[]
  /** Actions that no role has. */
  readonly denied: Set<string>
}

/** AWS Secrets Manager over its own protocol (AWS JSON 1.1), signed requests only. */
export function awsDouble(options: AwsSecretsOptions = {}): AwsDouble {
  const secrets = awsSecrets(options)
  const called: string[] = []
  const denied = new Set<string>()

  async function serve(request: Request): Promise<Response> {
    try {
      const name = actionOf(request)
      const action = actions.get(name)
      if (action === undefined) throw awsException('UnknownOperationException', name)
      called.push(name)
      if (denied.has(name)) {
        const message = `User: arn:aws:iam::1:role/r is not authorized to perform: secretsmanager:${name} on resource: x`
        throw awsException('AccessDeniedException', message)
      }
      return answer(200, action(secrets, await request.json()))
    } catch (error) {
      if (!isAwsException(error)) throw error
      return answer(400, { __type: error.type, message: error.message })
    }
  }

  return Object.assign(faultServer(serve), { secrets, called, denied })
}

function actionOf({ method, headers }: Request): string {
  const authorization = headers.get('authorization') ?? ''
  if (!/^AWS4-HMAC-SHA256 Credential=\S+\/secretsmanager\/aws4_request, /.test(authorization)) {
    throw awsException('MissingAuthenticationTokenException', 'not signed')
  }
  const isJson = headers.get('content-type') === 'application/x-amz-json-1.1'
  const [, action = ''] = /^secretsmanager\.(\w+)$/.exec(headers.get('x-amz-target') ?? '') ?? []
  if (method === 'POST' && isJson) return action
  throw awsException('UnknownOperationException', 'no AWS JSON 1.1')
}

function answer(status: number, body: object): Response {
  const headers = { 'content-type': 'application/x-amz-json-1.1' }
  return new Response(JSON.stringify(body), { status, headers })
}
