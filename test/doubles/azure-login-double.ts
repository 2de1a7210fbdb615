/** The identity that the double knows, in each way to prove it. */
export const knownClient = {
  clientId: '22222222-3333-4444-5555-666666666666',
  tenantId: '11111111-2222-3333-4444-555555555555',
  assertion: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb3N0ZXJuIn0.c2lnbmF0dXJl',
} as const

export type AzureLoginDouble = {
  /** Undefined for what is no login. */
  serve(request: Request, resource: string): Promise<Response | undefined>
  accepts(token: string): boolean
  issue(): string
  expire(): void
}

/** The metadata service of a machine, and the token endpoint of Entra. */
export function azureLoginDouble(): AzureLoginDouble {
  const tokens = new Set<string>()

  function issue(): string {
    const token = `double.${Bun.randomUUIDv7()}.token`
    tokens.add(token)
    return token
  }

  function fromMachine({ headers, url }: Request, resource: string): Response {
    const query = new URL(url).searchParams
    const clientId = query.get('client_id') ?? knownClient.clientId
    const isKnown = clientId === knownClient.clientId && query.get('resource') === resource
    const isAsked = headers.get('metadata') === 'true' && query.get('api-version') === '2018-02-01'
    if (!isAsked || !isKnown) {
      const error_description = 'Identity not found'
      return Response.json({ error: 'invalid_request', error_description }, { status: 400 })
    }
    const expires_on = String(Math.floor(Date.now() / 1_000) + 86_399)
    const life = { expires_in: '86399', expires_on }
    return Response.json({ access_token: issue(), ...life, resource, token_type: 'Bearer' })
  }

  async function fromEntra(request: Request, resource: string): Promise<Response> {
    const form = new URLSearchParams(await request.text())
    const expected = {
      grant_type: 'client_credentials',
      client_id: knownClient.clientId,
      scope: `${resource}/.default`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: knownClient.assertion,
    }
    if (Object.entries(expected).some(([name, value]) => form.get(name) !== value)) {
      const error_description = `AADSTS700024: ${form.get('client_assertion')} is not accepted.`
      const body = { error: 'invalid_client', error_description, error_codes: [700024] }
      return Response.json(body, { status: 401 })
    }
    return Response.json({ token_type: 'Bearer', expires_in: 3599, access_token: issue() })
  }

  return {
    async serve(request, resource) {
      const { pathname } = new URL(request.url)
      if (pathname === '/metadata/identity/oauth2/token') return fromMachine(request, resource)
      if (pathname === `/${knownClient.tenantId}/oauth2/v2.0/token`) {
        return await fromEntra(request, resource)
      }
      return undefined
    },
    accepts: (token) => tokens.has(token),
    issue,
    expire: () => tokens.clear(),
  }
}
