import { z } from 'zod'
import { nearest } from './nearest.ts'
import { isSecretReference, parseSecretReference } from './secret/secret-reference.ts'
import { settingNames, settingShape } from './settings/setting-groups.ts'
import { otlpProblems } from './trace/otlp-settings.ts'

const environmentSchema = z.strictObject(settingShape)

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
    return issue.keys.map(unknownSetting)
  }
  return [`${issue.path.join('.')}: ${issue.message}`]
}

function unknownSetting(name: string): string {
  const meant = nearest(name, settingNames)
  const hint = meant === undefined ? 'see `postern help settings`' : `did you mean ${meant}?`
  return `${name}: unknown setting; ${hint}`
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
