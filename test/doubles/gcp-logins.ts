export type GcpLogins = {
  /** What the issuer of the subject tokens has given out; STS takes these. */
  readonly subjects: Set<string>
  /** Requests that brought a token, by who gave it. */
  readonly given: { metadata: number; exchange: number; impersonation: number }
  isValid(authorization: string | null): boolean
  /** Every token that was given is worthless from now on. */
  expireLogins(): void
  /** Undefined for what is no login. */
  serve(request: Request): Promise<Response | undefined>
}

export const gcpAudience =
  '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/p/providers/q'
const accountPath = '/v1/projects/-/serviceAccounts/postern@postern-test.iam.gserviceaccount.com'
export const impersonationPath = `${accountPath}:generateAccessToken`
const lifeSeconds = 3_600

/** The metadata server, the token exchange of STS and the impersonation of IAM. */
export function gcpLogins(): GcpLogins {
  const tokens = new Set<string>()
  const federated = new Set<string>()
  const subjects = new Set<string>()
  const given = { metadata: 0, exchange: 0, impersonation: 0 }

  function fresh(kept: Set<string>): string {
    const token = `ya29.${crypto.randomUUID()}`
    kept.add(token)
    return token
  }

  function fromMetadata(request: Request): Response {
    const headers = { 'metadata-flavor': 'Google' }
    if (request.headers.get('metadata-flavor') !== 'Google') {
      return new Response('Missing Metadata-Flavor:Google header.', { status: 403, headers })
    }
    given.metadata += 1
    const answer = { access_token: fresh(tokens), expires_in: lifeSeconds, token_type: 'Bearer' }
    return Response.json(answer, { headers })
  }

  async function exchange(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text())
    const refuse = (error: string) => Response.json({ error }, { status: 400 })
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange') {
      return refuse('unsupported_grant_type')
    }
    const isWhole =
      form.get('requested_token_type') === 'urn:ietf:params:oauth:token-type:access_token' &&
      form.get('subject_token_type') === 'urn:ietf:params:oauth:token-type:jwt' &&
      form.get('scope') !== null
    if (!isWhole) return refuse('invalid_request')
    if (form.get('audience') !== gcpAudience) return refuse('invalid_target')
    if (!subjects.has(form.get('subject_token') ?? '')) return refuse('invalid_grant')
    given.exchange += 1
    // A federated token does for Secret Manager too, where the pool was given the role itself.
    const token = fresh(tokens)
    federated.add(token)
    const issued = { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }
    const answer = { access_token: token, expires_in: lifeSeconds, token_type: 'Bearer' }
    return Response.json({ ...issued, ...answer })
  }

  function impersonate(request: Request): Response {
    const token = (request.headers.get('authorization') ?? '').replace('Bearer ', '')
    if (!federated.has(token)) return new Response('{}', { status: 401 })
    given.impersonation += 1
    const expireTime = new Date(Date.now() + lifeSeconds * 1000).toISOString()
    return Response.json({ accessToken: fresh(tokens), expireTime })
  }

  return {
    subjects,
    given,
    isValid: (authorization) => tokens.has((authorization ?? '').replace('Bearer ', '')),
    expireLogins: () => tokens.clear(),
    async serve(request) {
      const { pathname } = new URL(request.url)
      switch (`${request.method} ${pathname}`) {
        case 'GET /computeMetadata/v1/instance/service-accounts/default/token':
          return fromMetadata(request)
        case 'POST /v1/token':
          return await exchange(request)
        case `POST ${impersonationPath}`:
          return impersonate(request)
        default:
          return undefined
      }
    },
  }
}
