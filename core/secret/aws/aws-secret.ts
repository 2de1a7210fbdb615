import type {
  DescribeSecretResponse,
  GetSecretValueResponse,
} from '@aws-sdk/client-secrets-manager'
import { secretNotFound, storeUnavailable } from '../store-http.ts'
import type { AwsCall } from './aws-call.ts'
import type { LabelledVersion } from './aws-labels.ts'
import { listVersions } from './aws-listing.ts'

/** A secret under our name and under that which it has in the store. */
export type AwsSecret = { readonly call: AwsCall; readonly name: string; readonly id: string }

/** Undefined where there is no such secret, or no such version. */
export async function fetchValue(
  { call, id: SecretId }: AwsSecret,
  VersionId: string,
): Promise<GetSecretValueResponse | undefined> {
  const answer = await call('GetSecretValue', ['ResourceNotFoundException'], (client, options) =>
    client.getSecretValue({ SecretId, VersionId }, options),
  )
  if (answer === 'ResourceNotFoundException') return undefined
  confirm('GetSecretValue', answer.Name === SecretId)
  return answer
}

/**
 * Whether the service answers, and knows who asks: a role that may read its own secrets only is let in,
 * too. There need be no secret of this name.
 */
export async function knock({ call, id: SecretId }: AwsSecret): Promise<void> {
  await call(
    'GetSecretValue',
    ['AccessDeniedException', 'ResourceNotFoundException'],
    (client, options) => client.getSecretValue({ SecretId }, options),
  )
}

/** The labelled versions without their dates; undefined where there is no such secret. */
export async function describe({
  call,
  name,
  id: SecretId,
}: AwsSecret): Promise<DescribeSecretResponse | undefined> {
  const answer = await call('DescribeSecret', ['ResourceNotFoundException'], (client, options) =>
    client.describeSecret({ SecretId }, options),
  )
  if (answer === 'ResourceNotFoundException') return undefined
  confirm('DescribeSecret', answer.Name === SecretId)
  if (answer.DeletedDate === undefined) return answer
  throw storeUnavailable(`${name} is scheduled for deletion on AWS: restore it`)
}

/** Newest first. One that is scheduled for deletion would be listed too, so it is described first. */
export async function versionsOf(secret: AwsSecret): Promise<readonly LabelledVersion[]> {
  const isThere = (await describe(secret)) !== undefined
  const versions = isThere ? await listVersions(secret.call, secret.id) : undefined
  if (versions === undefined) throw secretNotFound(secret.name)
  return versions
}

type Relabelling = {
  readonly label: string
  readonly from?: string | undefined
  readonly to?: string
}

/** The service compares `from`: a label that moved meanwhile is an outage, and is read again. */
export async function relabel(
  { call, name, id }: AwsSecret,
  { label, from, to }: Relabelling,
): Promise<void> {
  const request = {
    SecretId: id,
    VersionStage: label,
    ...(from === undefined ? {} : { RemoveFromVersionId: from }),
    ...(to === undefined ? {} : { MoveToVersionId: to }),
  }
  const action = 'UpdateSecretVersionStage'
  const answer = await call(action, ['ResourceNotFoundException'], (client, options) =>
    client.updateSecretVersionStage(request, options),
  )
  if (answer === 'ResourceNotFoundException') throw secretNotFound(name)
  confirm(action, answer.Name === id)
}

/** JSON that is no answer of the action comes out of the SDK without any members. */
export function confirm(action: string, isAnswer: boolean): void {
  if (!isAnswer) throw storeUnavailable(`AWS ${action}: no answer of its API`)
}
