import { boundedHandler } from './bounded-handler.ts'

/** Milliseconds for one call: two tries, and the login before them. */
const callMsMax = 10_000
/** Milliseconds, at most, before the second try of a call. */
const retryMsMax = 200

export type AwsKeys = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export type AwsClientOptions = {
  readonly region: string
  /** For another implementation of the API; `http://host:port`. */
  readonly endpoint?: string | undefined
  /** PEM for that endpoint; else the system's roots. */
  readonly ca?: string | undefined
  /** Else those of the workload, by the SDK's default chain: task role, pod or web identity. */
  readonly credentials?: AwsKeys | undefined
}

/** What every client of the SDK is made with here. */
export function awsClientSettings({ region, endpoint, ca, credentials }: AwsClientOptions) {
  return {
    region,
    retryStrategy: retryOnce(),
    requestHandler: boundedHandler({ ca }),
    // Nothing but our own setting says where the API is, AWS_ENDPOINT_URL least of all.
    ignoreConfiguredEndpointUrls: true,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: { ...credentials } }),
  }
}

/** Ends a call that takes longer than 10 s, with an error named `TimeoutError`. */
export async function withinCall<Answer>(
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
): Promise<Answer> {
  const abortSignal = AbortSignal.timeout(callMsMax)
  // The chain of credentials does not listen to the signal.
  return await Promise.race([send({ abortSignal }), aborted(abortSignal)])
}

/**
 * One more try for a broken connection and 5xx. The SDK's own strategies would wait out a
 * `Retry-After` here, which is for the caller, and try again what is throttled.
 */
function retryOnce() {
  const token = (count: number) => ({
    getRetryCount: () => count,
    getRetryDelay: () => (count === 0 ? 0 : retryMsMax * Math.random()),
  })
  return {
    acquireInitialRetryToken: async () => token(0),
    refreshRetryTokenForRetry: (
      { getRetryCount }: { getRetryCount(): number },
      { errorType }: { readonly errorType: string },
    ) =>
      errorType === 'TRANSIENT' && getRetryCount() === 0
        ? Promise.resolve(token(1))
        : Promise.reject(new Error('not tried again')),
    recordSuccess: () => undefined,
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
