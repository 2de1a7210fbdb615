import { open } from 'node:fs/promises'
import { z } from 'zod'
import { type StoreAnswer, storeHttp, storeUnavailable } from '../store-http.ts'
import { isTrustworthy } from './azure-challenge.ts'

export type AzureToken = {
  readonly token: string
  /** Milliseconds from now. */
  readonly lifetimeMs: number
}

/** How a process gets its token for a vault; throws `secret.unavailable`. */
export type AzureLogin = {
  /** Which secret zero is in use, for `doctor`. */
  readonly secretZero: string
  /** `resource`: the audience of the token, such as `https://vault.azure.net`. */
  login(resource: string): Promise<AzureToken>
}

/** The instance metadata service; it answers from within the machine only, hence no TLS. */
const imdsUrl = 'http://169.254.169.254'
const imdsApiVersion = '2018-02-01'
/** Milliseconds: it answers from beside us, or there is none. */
const imdsMsMax = 5_000
/** Seconds; the vendor's word for how long the service is away while it is renewed (410). */
const imdsRenewalSeconds = 70

const tokenSchema = z.object({
  access_token: z.string().regex(/^[\w.~+/=-]{1,16384}$/),
  /** Seconds; a text at the metadata service, a number at Entra. */
  expires_in: z.coerce.number().int().positive().max(604_800),
})

/**
 * The identity of the machine. `clientId` names one of several.
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
export function azureManagedIdentity({
  clientId,
  host = imdsUrl,
}: {
  readonly clientId?: string | undefined
  readonly host?: string
} = {}): AzureLogin {
  const http = storeHttp({ requestMsMax: imdsMsMax })
  return {
    secretZero: 'the managed identity of this machine',
    async login(resource) {
      const query = new URLSearchParams({
        'api-version': imdsApiVersion,
        resource,
        ...(clientId === undefined ? {} : { client_id: clientId }),
      })
      const answer = await http({
        method: 'GET',
        url: `${host}/metadata/identity/oauth2/token?${query}`,
        headers: { metadata: 'true' },
      })
      if (answer.status === 404 || answer.status === 410) {
        const reason = 'the metadata service is being renewed, or is none'
        throw storeUnavailable(reason, { waitSeconds: imdsRenewalSeconds })
      }
      return tokenOf(answer, 'the metadata service')
    },
  }
}

export type AzureWorkloadIdentity = {
  readonly tenantId: string
  readonly clientId: string
  /** Written and replaced by the platform: `AZURE_FEDERATED_TOKEN_FILE`. */
  readonly tokenFile: string
  readonly authorityHost?: string
}

const authorityHostDefault = 'https://login.microsoftonline.com'
/** Bytes; a projected service account token has about 1,200. */
const tokenFileBytesMax = 16_384

/**
 * A token of the platform's, such as a Kubernetes service account's, for one of Entra.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 * Throws `secret.unavailable` at once for an authority that is not reached by https.
 */
export function azureWorkloadIdentity({
  tenantId,
  clientId,
  tokenFile,
  authorityHost = authorityHostDefault,
}: AzureWorkloadIdentity): AzureLogin {
  const authority = URL.canParse(authorityHost) ? new URL(authorityHost) : undefined
  if (authority === undefined || !isTrustworthy(authority)) {
    throw storeUnavailable('the authority host is no https URL')
  }
  const url = `${authority.origin}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`
  const http = storeHttp()
  return {
    secretZero: `workload identity, by the token in ${tokenFile}`,
    async login(resource) {
      const answer = await http({
        method: 'POST',
        url,
        form: {
          grant_type: 'client_credentials',
          client_id: clientId,
          scope: `${resource}/.default`,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await readAssertion(tokenFile),
        },
      })
      return tokenOf(answer, authority.host)
    },
  }
}

/** Anew for each login: the platform replaces the file before its token ends. */
async function readAssertion(path: string): Promise<string> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw storeUnavailable(`the token file ${path} cannot be read`, { cause })
  })
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(tokenFileBytesMax), 0)
    const text = buffer.toString('latin1', 0, bytesRead).trim()
    if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return text
  } finally {
    await file.close()
  }
  throw storeUnavailable(`the token file ${path} holds no token`)
}

const refusalSchema = z.object({
  /** AADSTS numbers. */
  error_codes: z.array(z.int()).optional(),
})

function tokenOf({ status, body }: StoreAnswer, where: string): AzureToken {
  const parsed = tokenSchema.safeParse(body)
  if (status === 200 && parsed.success) {
    return { token: parsed.data.access_token, lifetimeMs: parsed.data.expires_in * 1_000 }
  }
  if (status === 200) throw storeUnavailable(`${where} answered without a token`)
  const [code] = refusalSchema.safeParse(body).data?.error_codes ?? []
  const number = code === undefined ? '' : ` (AADSTS${code})`
  throw storeUnavailable(`${where} refuses our identity: answered ${status}${number}`)
}
