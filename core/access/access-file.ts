import { z } from 'zod'
import { ConfigError } from '../config.ts'
import { parseSecretReference } from '../secret/secret-reference.ts'
import { parseCidr } from './cidr.ts'
import { hasUniqueMembers } from './unique-members.ts'

/** `up` signs its own tokens under this name; production refuses to trust it. */
export const developmentIssuer = 'postern-development'

/** To have the local issuer make a token. */
export const mintScope = 'tokens:mint'

/** Characters; room for some ten thousand ranges and far from what a parser chokes on. */
const accessFileCharsMax = 1_048_576
const entriesMax = 10_000
const issuersMax = 50

export const tokenAlgorithms = ['EdDSA', 'ES256', 'RS256', 'PS256', 'HS256'] as const
export type TokenAlgorithm = (typeof tokenAlgorithms)[number]

const cidr = z.string().transform((text, context) => {
  try {
    return parseCidr(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'bad' })
    return z.NEVER
  }
})
const cidrs = z.array(cidr).max(entriesMax)

/** RFC 6749, 3.3. */
const scope = z.string().regex(/^[!#-[\]-~]{1,128}$/, 'not a scope name')
/** No white space: `issuer subject` is then an unambiguous key. */
const name = z.string().regex(/^\S{1,256}$/, 'empty, too long or with white space')

const publicKey = z
  .looseObject({ kid: name, kty: z.enum(['OKP', 'EC', 'RSA']) })
  .refine((key) => !('d' in key), 'holds a private key; paste only the public one')

const keySource = z.union([
  z.strictObject({ jwksUrl: z.url() }),
  z.strictObject({ jwks: z.strictObject({ keys: z.array(publicKey).min(1).max(100) }) }),
  z.strictObject({
    secret: z.string().refine((text) => parseSecretReference(text) !== undefined, {
      error: 'not a reference of the form secret:<name>#<member>',
    }),
    kid: name,
  }),
  /** The local issuer's, which the gateway holds itself. */
  z.strictObject({ local: z.literal(true) }),
])

const issuer = z
  .strictObject({
    issuer: name,
    audiences: z.array(name).min(1).max(20),
    algorithms: z.array(z.enum(tokenAlgorithms)).min(1),
    keys: keySource,
    /** What its tokens may grant; a scope outside is taken off the principal. */
    scopes: z.array(scope).max(entriesMax),
    /** The token's header `typ`, e.g. `at+jwt` (RFC 9068); not looked at when absent. */
    typ: name.optional(),
  })
  .superRefine((value, context) => {
    const isSymmetric = value.algorithms.includes('HS256')
    if (isSymmetric && value.algorithms.length > 1) {
      const message = 'HS256 never stands beside a public-key algorithm'
      context.addIssue({ code: 'custom', path: ['algorithms'], message })
    }
    if (isSymmetric !== 'secret' in value.keys) {
      const message = 'HS256 and only HS256 takes its key from the secret store'
      context.addIssue({ code: 'custom', path: ['keys'], message })
    }
    if ('local' in value.keys) refuseUnlikeLocal(value, context)
  })

/** What the local issuer cannot sign, and what it must not. */
function refuseUnlikeLocal(
  {
    algorithms,
    scopes,
  }: { readonly algorithms: readonly string[]; readonly scopes: readonly string[] },
  context: z.RefinementCtx,
): void {
  if (algorithms.some((algorithm) => algorithm !== 'EdDSA')) {
    const message = 'the local issuer signs with EdDSA only'
    context.addIssue({ code: 'custom', path: ['algorithms'], message })
  }
  if (scopes.includes(mintScope)) {
    const message = `${mintScope} comes from another issuer: no token makes its own successor`
    context.addIssue({ code: 'custom', path: ['scopes'], message })
  }
}

const limit = z.strictObject({
  perSecond: z.number().positive().max(1_000_000),
  burst: z.number().int().min(1).max(1_000_000),
})

/** Normalised; the gateway compares origin and path segments with it, never text. */
const callbackPrefix = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text))
  .refine(isPlainPrefix, { error: 'holds a user, a query or a fragment' })
  .transform((url) => url.href)

function isPlainPrefix(url: URL): boolean {
  return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

const accessSchema = z.strictObject({
  zones: z.strictObject({ v1: cidrs, internal: cidrs, probe: cidrs }),
  trustedProxies: z.strictObject({
    header: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/, 'not a header name in lower case')
      .refine((header) => header !== 'forwarded', 'RFC 7239 syntax is not read'),
    proxies: z.array(z.strictObject({ cidrs: cidrs.min(1), allowPort: z.boolean() })).max(100),
  }),
  issuers: z.array(issuer).max(issuersMax),
  /** Scopes asked for on top of a route's own, e.g. `"GET /v1/jobs/:id": ["desk:a"]`. */
  routes: z
    .record(z.string().regex(/^(GET|POST|PUT|PATCH|DELETE) \/\S*$/), z.array(scope).min(1))
    .default({}),
  limits: z.strictObject({
    default: limit,
    subjects: z
      .array(z.strictObject({ issuer: name, subject: name, ...limit.shape }))
      .max(entriesMax)
      .default([]),
  }),
  callbackPrefixes: z.array(callbackPrefix).max(1_000),
})

/** The access file as it is written. */
export type AccessDocument = z.input<typeof accessSchema>
/** The access file as it is applied. */
export type AccessRules = z.output<typeof accessSchema>
export type IssuerRules = AccessRules['issuers'][number]

export type AccessMode = 'production' | 'development'

/** Throws `ConfigError` with every problem. */
export function parseAccessFile(text: string, mode: AccessMode): AccessRules {
  if (text.length > accessFileCharsMax) {
    throw new ConfigError([`access file: longer than ${accessFileCharsMax} characters`])
  }
  const document = parseJson(text)
  if (document === undefined) throw new ConfigError(['access file: not JSON'])
  if (!hasUniqueMembers(text)) throw new ConfigError(['access file: names a member twice'])
  return parseAccessDocument(document, mode)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Validates the document as a whole; throws `ConfigError` with every problem. */
export function parseAccessDocument(document: unknown, mode: AccessMode): AccessRules {
  const parsed = accessSchema.safeParse(document)
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map((issue) => problem(issue.path.join('.'), issue.message)),
    )
  }
  const problems = [
    ...repeatedIssuers(parsed.data),
    ...(mode === 'production' ? productionProblems(parsed.data) : []),
    ...keyUrlProblems(parsed.data, mode),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
  return parsed.data
}

function problem(path: string, message: string): string {
  return `access file: ${path === '' ? '' : `${path}: `}${message}`
}

function repeatedIssuers(rules: AccessRules): string[] {
  const seen = new Set<string>()
  return rules.issuers.flatMap((entry, at) => {
    if (!seen.has(entry.issuer)) {
      seen.add(entry.issuer)
      return []
    }
    return [problem(`issuers.${at}.issuer`, 'stands twice')]
  })
}

function productionProblems(rules: AccessRules): string[] {
  const issuers = rules.issuers.flatMap((entry, at) =>
    entry.issuer === developmentIssuer
      ? [problem(`issuers.${at}.issuer`, 'the development issuer is refused in production')]
      : [],
  )
  const callbacks = rules.callbackPrefixes.flatMap((prefix, at) =>
    prefix.startsWith('https:') ? [] : [problem(`callbackPrefixes.${at}`, 'must be https')],
  )
  return [...issuers, ...callbacks]
}

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]'])

function keyUrlProblems(rules: AccessRules, mode: AccessMode): string[] {
  return rules.issuers.flatMap((entry, at) => {
    if (!('jwksUrl' in entry.keys)) return []
    const url = new URL(entry.keys.jwksUrl)
    const isLocal =
      mode === 'development' && url.protocol === 'http:' && loopbackHosts.has(url.hostname)
    if (!isLocal && url.protocol !== 'https:') {
      return [
        problem(`issuers.${at}.keys.jwksUrl`, 'must be https (http: loopback in development)'),
      ]
    }
    if (url.username === '' && url.password === '') return []
    return [problem(`issuers.${at}.keys.jwksUrl`, 'holds a credential')]
  })
}
