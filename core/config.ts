import { z } from 'zod'
import { environmentName } from './drift/environment-name.ts'
import { isSecretReference, parseSecretReference } from './secret/secret-reference.ts'
import { otlpProblems, otlpSettings } from './trace/otlp-settings.ts'

/** The listener's default; above 1023 because the image runs without capabilities. */
const listenPortDefault = 8080
/** Workers answer probes only, on a port of their own, so that `run` needs no second address. */
const probePortDefault = 8081
/** The sequencer's probes: a third process of `run` beside gateway and worker. */
const sequencerProbePortDefault = 8082
/** The rotator's probes: the fourth process of `run`. */
const rotatorProbePortDefault = 8083
/** Seven years: the longest of the usual rules for trading records. */
const retentionDaysDefault = 2_555
/** A stop that takes longer than an orchestrator's usual 30 s is killed half way. */
const drainSecondsDefault = 25
/** Alpaca's market of play money; the other one is for those who name it. */
const alpacaUrlDefault = 'https://paper-api.alpaca.markets'

/** Seconds that a token of the local issuer may live, by default and at the most. */
const issuerTtlSecondsDefault = 900
const issuerTtlSecondsMax = 3_600
/** Seconds that verifiers may keep its keys: a rotation waits as long. */
const jwksMaxAgeSecondsDefault = 300

/** A credential: a reference to the secret store; a literal only in development. */
const credential = z.string().min(1)

const filePath = z.string().min(1)
const port = z.coerce.number().int().min(0).max(65_535)

/** A log's name (C2SP tlog-checkpoint): its URL without scheme and final slash. */
const origin = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9.:/_-]{0,198}[a-zA-Z0-9]$/, 'a URL without scheme and final slash')

/** Where an engine or a login method of Vault is mounted. */
const vaultPath = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_./-]{0,126}$/, 'a path without a slash at its start')

/**
 * Where a CI run leaves its plan: `s3://bucket/prefix` or a directory. No part of it begins with a dot:
 * none leads back up.
 */
const planPlace = z
  .string()
  .max(1_024)
  .regex(
    /^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|(?=\/))(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
    's3://bucket/prefix or an absolute directory',
  )

const imageDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest such as sha256:…')

/** The keys are the variables' names, so that a problem names what to fix. */
const environmentSchema = z.strictObject({
  POSTERN_MODE: z.enum(['production', 'development']).default('production'),
  POSTERN_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  POSTERN_LISTEN_ADDRESS: z.union([z.ipv4(), z.ipv6()]).default('0.0.0.0'),
  POSTERN_LISTEN_PORT: port.default(listenPortDefault),
  POSTERN_PROBE_PORT: port.default(probePortDefault),
  POSTERN_ACCESS_FILE: filePath.optional(),
  POSTERN_DATABASE_URL: credential.optional(),
  POSTERN_DATABASE_CA_FILE: filePath.optional(),
  POSTERN_QUEUE: z.enum(['redis', 'postgres']).default('redis'),
  POSTERN_REDIS_URL: credential.optional(),
  POSTERN_REDIS_CA_FILE: filePath.optional(),
  POSTERN_REDIS_CLUSTER: z.stringbool().default(false),
  POSTERN_SECRET_STORE: z.enum(['file', 'vault', 'aws', 'gcp', 'azure']).optional(),
  POSTERN_SECRET_FILE: filePath.optional(),
  POSTERN_SECRET_BOOTSTRAP_FILE: filePath.optional(),
  POSTERN_VAULT_ADDRESS: z.url({ protocol: /^https?$/ }).optional(),
  POSTERN_VAULT_CA_FILE: filePath.optional(),
  POSTERN_VAULT_NAMESPACE: z.string().min(1).optional(),
  POSTERN_VAULT_MOUNT: vaultPath.default('secret'),
  POSTERN_VAULT_LOGIN: z.enum(['approle', 'kubernetes', 'jwt']).default('approle'),
  POSTERN_VAULT_LOGIN_MOUNT: vaultPath.optional(),
  POSTERN_VAULT_ROLE: z.string().min(1).optional(),
  POSTERN_AWS_REGION: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'a region such as eu-central-1')
    .optional(),
  POSTERN_AWS_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  POSTERN_GCP_PROJECT: z.string().min(1).optional(),
  POSTERN_GCP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  POSTERN_GCP_ACCOUNT_FILE: filePath.optional(),
  POSTERN_AZURE_VAULT_URL: z.url({ protocol: /^https?$/ }).optional(),
  POSTERN_AZURE_TENANT_ID: z.string().min(1).optional(),
  POSTERN_AZURE_CLIENT_ID: z.string().min(1).optional(),
  POSTERN_IDENTITY_TOKEN_FILE: filePath.optional(),
  POSTERN_WEBHOOK_KEY: credential.optional(),
  POSTERN_ALPACA_URL: z.url({ protocol: /^https?$/ }).default(alpacaUrlDefault),
  POSTERN_ALPACA_KEYS: credential.optional(),
  POSTERN_TLS_CERTIFICATE: credential.optional(),
  POSTERN_TLS_KEY: credential.optional(),
  POSTERN_TLS_CLIENT_CA: credential.optional(),
  /** A token's `iss`: a URL (RFC 7519, 2), which nobody fetches. */
  POSTERN_ISSUER: z
    .url({ protocol: /^https?$/ })
    .max(256)
    .optional(),
  POSTERN_ISSUER_KEYS: credential.optional(),
  POSTERN_ISSUER_TTL_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(issuerTtlSecondsMax)
    .default(issuerTtlSecondsDefault),
  POSTERN_JWKS_MAX_AGE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(jwksMaxAgeSecondsDefault),
  POSTERN_AUDIT_ORIGIN: origin.optional(),
  POSTERN_AUDIT_KEYS: credential.optional(),
  POSTERN_AUDIT_STORE: z.string().min(1).optional(),
  POSTERN_AUDIT_POLICY: filePath.optional(),
  POSTERN_AUDIT_VERIFIER_KEYS: filePath.optional(),
  POSTERN_AUDIT_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(retentionDaysDefault),
  POSTERN_AUDIT_S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  POSTERN_SEQUENCER_PROBE_PORT: port.default(sequencerProbePortDefault),
  POSTERN_ROTATOR_PROBE_PORT: port.default(rotatorProbePortDefault),
  POSTERN_IMAGE_DIGEST: imageDigest.optional(),
  POSTERN_DRIFT_PLAN: planPlace.optional(),
  POSTERN_DRIFT_PLAN_KEY_FILE: filePath.optional(),
  POSTERN_DRIFT_ENVIRONMENT: environmentName.optional(),
  POSTERN_DRIFT_S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  POSTERN_DRIFT_WORKSPACE: filePath.optional(),
  POSTERN_DRIFT_CALLBACK: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .optional(),
  ...otlpSettings,
  POSTERN_DRAIN_SECONDS: z.coerce.number().int().min(1).max(600).default(drainSecondsDefault),
  POSTERN_DATA_DIRECTORY: filePath.default('.postern'),
})

export type Config = Readonly<z.infer<typeof environmentSchema>>

const credentialNames = [
  'POSTERN_DATABASE_URL',
  'POSTERN_REDIS_URL',
  'POSTERN_WEBHOOK_KEY',
  'POSTERN_ALPACA_KEYS',
  'POSTERN_AUDIT_KEYS',
  'POSTERN_TLS_CERTIFICATE',
  'POSTERN_TLS_KEY',
  'POSTERN_TLS_CLIENT_CA',
  'POSTERN_OTLP_HEADERS',
] as const satisfies readonly (keyof Config)[]

/** What `parseConfig` throws: one `NAME: problem` line each, for exit 78. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads the `POSTERN_*` part of an environment; every other name is none of our business, but for a
 * key that the client of S3 would take from there.
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const ours = Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => name.startsWith('POSTERN_') && value !== undefined,
    ),
  )
  const parsed = environmentSchema.safeParse(ours)
  if (!parsed.success) throw new ConfigError(parsed.error.issues.flatMap(describeIssue))
  const problems = [
    ...credentialNames.flatMap((name) => credentialProblems(parsed.data, name)),
    ...addressNames.flatMap((name) => addressProblems(parsed.data, name)),
    ...issuerProblems(parsed.data),
    ...driftProblems(parsed.data),
    ...otlpProblems(parsed.data),
    ...cloudKeyProblems(parsed.data, environment),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
  return parsed.data
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${key}: unknown setting; see \`postern --help\` for the names`)
  }
  return [`${issue.path.join('.')}: ${issue.message}`]
}

/** Never repeats the value: what was put there by mistake may be a password. */
function credentialProblems(config: Config, name: (typeof credentialNames)[number]): string[] {
  const value = config[name]
  if (value === undefined) return []
  if (isSecretReference(value)) {
    return parseSecretReference(value) === undefined
      ? [`${name}: not a reference of the form secret:<name>#<member>`]
      : []
  }
  if (config.POSTERN_MODE === 'development') return []
  return [
    `${name}: a literal credential is refused in production; put it into the secret store and give secret:<name>#<member>`,
  ]
}

const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** What is told there is worth a credential. */
const addressNames = [
  'POSTERN_ALPACA_URL',
  'POSTERN_VAULT_ADDRESS',
  'POSTERN_AWS_ENDPOINT',
  'POSTERN_GCP_ENDPOINT',
  'POSTERN_AZURE_VAULT_URL',
] as const satisfies readonly (keyof Config)[]

/** Keys go there, and an order's way back; never repeats what may hold a password. */
function addressProblems(config: Config, name: (typeof addressNames)[number]): string[] {
  const address = config[name]
  if (address === undefined) return []
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(address)
  const rest = `${username}${password}${search}${hash}`
  if (rest !== '' || pathname !== '/') {
    return [`${name}: more than scheme, host and port; leave out path, query and user`]
  }
  const isTestServer = config.POSTERN_MODE === 'development' && loopbackNames.has(hostname)
  if (protocol === 'https:' || isTestServer) return []
  return [`${name}: not https; plain http is for loopback in development only`]
}

/** Its keys are followed from version to version, so that a literal is refused in every mode. */
function issuerProblems({ POSTERN_ISSUER: name, POSTERN_ISSUER_KEYS: keys }: Config): string[] {
  if (name !== undefined && keys === undefined) {
    return [
      'POSTERN_ISSUER_KEYS: required by POSTERN_ISSUER; see `postern token issuer-keys --help`',
    ]
  }
  if (keys === undefined) return []
  if (name !== undefined && /^https?:\/\/[^/]*@/.test(name)) {
    return ['POSTERN_ISSUER: holds a user; it stands in every token, leave that out']
  }
  if (name === undefined) return ['POSTERN_ISSUER: required by POSTERN_ISSUER_KEYS']
  if (parseSecretReference(keys) !== undefined) return []
  return ['POSTERN_ISSUER_KEYS: not a reference such as secret:postern/issuer#current']
}

/** A plan that nobody signed, or that may be of any environment, is not judged. */
function driftProblems(config: Config): string[] {
  const callback = config.POSTERN_DRIFT_CALLBACK
  const isPlain = callback?.startsWith('http:') === true
  return [
    ...(config.POSTERN_DRIFT_PLAN === undefined
      ? []
      : (['POSTERN_DRIFT_PLAN_KEY_FILE', 'POSTERN_DRIFT_ENVIRONMENT'] as const)
          .filter((name) => config[name] === undefined)
          .map((name) => `${name}: required by POSTERN_DRIFT_PLAN`)),
    ...(isPlain && config.POSTERN_MODE === 'production'
      ? ['POSTERN_DRIFT_CALLBACK: not https; plain http is for development only']
      : []),
  ]
}

function cloudKeyProblems(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const isUsed =
    config.POSTERN_AUDIT_STORE?.startsWith('s3:') === true ||
    config.POSTERN_DRIFT_PLAN?.startsWith('s3:') === true ||
    config.POSTERN_DRIFT_WORKSPACE !== undefined ||
    config.POSTERN_SECRET_STORE === 'aws'
  if (!isUsed || config.POSTERN_MODE === 'development') return []
  if (environment['AWS_SECRET_ACCESS_KEY'] === undefined) return []
  return [
    'AWS_SECRET_ACCESS_KEY: a key in the environment is refused in production; give the workload a role',
  ]
}
