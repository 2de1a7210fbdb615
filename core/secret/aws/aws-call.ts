import type { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { z } from 'zod'
import type { PosternError } from '../../errors.ts'
import { retryAfterOf } from '../../reading/retry-after.ts'
import { storeUnavailable } from '../store-http.ts'
import { type AwsClientOptions, awsClientSettings, withinCall } from './aws-client.ts'

/** The exceptions that say how things are, and no outage. */
export type AwsFinding =
  | 'AccessDeniedException'
  | 'ResourceExistsException'
  | 'ResourceNotFoundException'

/**
 * Calls an action of the API, at most twice; gives the name of an exception that is `expected`.
 * Throws `secret.unavailable` for every other, without what the service said: that may repeat the
 * request.
 */
export type AwsCall = <Answer extends object, Expected extends AwsFinding>(
  action: string,
  expected: readonly Expected[],
  send: (client: SecretsManager, options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
) => Promise<Answer | Expected>

export function awsCall(options: AwsClientOptions): AwsCall {
  let opening: Promise<SecretsManager> | undefined
  return async (action, expected, send) => {
    try {
      opening ??= openClient(options)
      const client = await opening
      return await withinCall((within) => send(client, within))
    } catch (error) {
      const finding = expected.find((each) => error instanceof Error && each === error.name)
      if (finding !== undefined) return finding
      throw outageOf(action, error)
    }
  }
}

async function openClient(options: AwsClientOptions): Promise<SecretsManager> {
  // The SDK is large, and nobody who keeps secrets elsewhere waits for it.
  const { SecretsManager } = await import('@aws-sdk/client-secrets-manager')
  return new SecretsManager(awsClientSettings(options))
}

const failureSchema = z.object({
  name: z.string(),
  message: z.string(),
  cause: z.unknown().optional(),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional(),
  $response: z
    .object({ statusCode: z.number(), headers: z.record(z.string(), z.string()) })
    .optional(),
})

const refusedLogin = 'its credentials are refused: look at the role of the workload'
const refusedKey = 'the KMS key of the secret cannot be used'
const reasons: ReadonlyMap<string, string> = new Map([
  ['CredentialsProviderError', 'no credentials: give the workload a role'],
  ['ExpiredTokenException', refusedLogin],
  ['IncompleteSignature', refusedLogin],
  ['InvalidClientTokenId', refusedLogin],
  ['InvalidSignatureException', refusedLogin],
  ['UnrecognizedClientException', refusedLogin],
  ['DecryptionFailure', refusedKey],
  ['EncryptionFailure', refusedKey],
  ['InvalidParameterException', 'a parameter is refused, or the labels were moved meanwhile'],
  ['InvalidRequestException', 'not in its present state: is it scheduled for deletion?'],
  ['LimitExceededException', 'a quota is used up: look at the labels of the secret'],
  ['PreconditionNotMetException', 'not in its present state'],
])
const throttled: ReadonlySet<string> = new Set([
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
])

function outageOf(action: string, error: unknown): PosternError {
  const { data } = failureSchema.safeParse(error)
  const failed = (reason: string, cause?: unknown) =>
    storeUnavailable(`AWS ${action}: ${reason}`, { waitSeconds, cause })
  const waitSeconds = retryAfterOf(new Headers(data?.$response?.headers))
  if (data === undefined) return failed('no answer of its API')
  const status = data.$metadata?.httpStatusCode ?? data.$response?.statusCode
  if (status === 429 || throttled.has(data.name)) return failed('throttled')
  if (data.name === 'AccessDeniedException') {
    return failed(`the role lacks ${lackingOf(action, data.message)}`)
  }
  // Ours, and those of the timers: they hold no answer.
  if (data.name === 'TimeoutError' && status === undefined) return failed(data.message, data.cause)
  return failed(
    reasons.get(data.name) ??
      (status === undefined ? 'no answer of its API' : `answered ${status}`),
  )
}

/** Of what AWS says no more than the name of the action, which may be one of KMS. */
function lackingOf(action: string, message: string): string {
  const [, named] = /\bperform: ([a-z0-9-]{1,32}:[A-Za-z]{1,64})\b/.exec(message) ?? []
  if (named !== undefined) return named
  return /\bKMS\b/.test(message) ? 'the use of the KMS key' : `secretsmanager:${action}`
}
