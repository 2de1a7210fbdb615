import { z } from 'zod'
import { parsedJson } from '../../reading/parsed-json.ts'
import { openForReading } from '../key-file.ts'
import { isSecureUrl } from '../secure-url.ts'
import { type StoreCall, storeHttp, storeUnavailable } from '../store-http.ts'
import {
  type AccessToken,
  cloudScope,
  type GcpLogin,
  keptLogin,
  tokenAnswerSchema,
  tokenSchema,
} from './gcp-login.ts'

/** Bytes of a configuration or of a file with a token; an ID token has a few thousand. */
const fileBytesMax = 65_536
/** Seconds; what Google gives where nothing is asked for. */
const impersonatedSecondsDefault = 3_600

const secureUrlSchema = z.string().refine(isSecureUrl, 'is neither https nor on loopback')
/** https://google.aip.dev/auth/4117 */
const externalAccountSchema = z.object({
  type: z.literal('external_account'),
  audience: z.string().min(1),
  subject_token_type: z.string().min(1),
  token_url: secureUrlSchema,
  credential_source: z.object({
    file: z.string().min(1),
    format: z
      .discriminatedUnion('type', [
        z.object({ type: z.literal('text') }),
        z.object({ type: z.literal('json'), subject_token_field_name: z.string().min(1) }),
      ])
      .default({ type: 'text' }),
  }),
  service_account_impersonation_url: secureUrlSchema.optional(),
  service_account_impersonation: z
    .object({ token_lifetime_seconds: z.int().min(600).max(43_200).optional() })
    .optional(),
})
type ExternalAccount = z.infer<typeof externalAccountSchema>

const impersonatedSchema = z.object({
  accessToken: tokenSchema,
  expireTime: z.iso.datetime({ offset: true }),
})
/** RFC 6749, 5.2: the code alone, the description may quote what was sent. */
const refusalSchema = z.object({ error: z.string().regex(/^[a-z_]{1,40}$/) })
const subjectSchema = z.record(z.string(), z.unknown())

export type GcpFederationOptions = {
  /** Path of the `external_account` configuration that `gcloud iam workload-identity-pools` writes. */
  readonly accountFile: string
  readonly now?: () => number
}

/**
 * Workload Identity Federation: a token that another issuer has put into a file is exchanged at
 * Google's STS, and the answer for a service account's token where the configuration says so. Both
 * files are read anew at every login. https://cloud.google.com/iam/docs/workload-identity-federation
 */
export function gcpFederatedLogin({ accountFile, now = Date.now }: GcpFederationOptions): GcpLogin {
  const call = storeHttp()
  return keptLogin(async () => {
    const account = await readAccount(accountFile)
    const federated = await exchange(call, account, now)
    return account.service_account_impersonation_url === undefined
      ? federated
      : await impersonate(call, account, federated.token)
  }, now)
}

async function readAccount(path: string): Promise<ExternalAccount> {
  const parsed = externalAccountSchema.safeParse(parsedJson(await readText(path, 'account file')))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => issue.path.join('.') || 'all of it')
  throw storeUnavailable(
    `${path} is no external_account configuration that is supported: look at ${faults.join(', ')}`,
  )
}

async function readSubject({ credential_source }: ExternalAccount): Promise<string> {
  const { file, format } = credential_source
  const text = await readText(file, 'subject token')
  const subject =
    format.type === 'text'
      ? text.trim()
      : subjectSchema.safeParse(parsedJson(text)).data?.[format.subject_token_field_name]
  if (typeof subject === 'string' && subject !== '') return subject
  throw storeUnavailable(`${file} holds no subject token`)
}

async function readText(path: string, what: string): Promise<string> {
  const file = await openForReading(path, what)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(fileBytesMax + 1), 0)
    if (bytesRead <= fileBytesMax) return buffer.toString('utf8', 0, bytesRead)
  } catch (cause) {
    throw storeUnavailable(`the ${what} ${path} cannot be read`, { cause })
  } finally {
    await file.close()
  }
  throw storeUnavailable(`the ${what} ${path} is over ${fileBytesMax} bytes`)
}

/** RFC 8693. */
async function exchange(
  call: StoreCall,
  account: ExternalAccount,
  now: () => number,
): Promise<AccessToken> {
  const { status, body } = await call({
    method: 'POST',
    url: account.token_url,
    form: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: account.audience,
      scope: cloudScope,
      subject_token: await readSubject(account),
      subject_token_type: account.subject_token_type,
    },
  })
  const answer = tokenAnswerSchema.safeParse(body)
  if (status !== 200 || !answer.success) {
    const code = refusalSchema.safeParse(body).data?.error ?? 'no token'
    const host = new URL(account.token_url).host
    throw storeUnavailable(`the token exchange at ${host} answered ${status} (${code})`)
  }
  const { access_token: token, expires_in: seconds } = answer.data
  return { token, expiresAt: now() + seconds * 1000 }
}

/** https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
async function impersonate(
  call: StoreCall,
  account: ExternalAccount,
  federated: string,
): Promise<AccessToken> {
  const url = account.service_account_impersonation_url ?? ''
  const seconds =
    account.service_account_impersonation?.token_lifetime_seconds ?? impersonatedSecondsDefault
  const { status, body } = await call({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${federated}` },
    body: { scope: [cloudScope], lifetime: `${seconds}s` },
  })
  const answer = impersonatedSchema.safeParse(body)
  if (status !== 200 || !answer.success) {
    const host = new URL(url).host
    throw storeUnavailable(`the impersonation at ${host} answered ${status} without a token`)
  }
  return { token: answer.data.accessToken, expiresAt: Date.parse(answer.data.expireTime) }
}
